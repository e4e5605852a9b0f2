"""The Cloud API without any I/O: bytes and values in, values out. Standard library only, no clock, no environment."""
