"""What is decided, without any I/O: the care window, consent, the gate, retries. The time is always an argument."""
