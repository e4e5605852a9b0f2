"""The keys of the credentials block and what each accepts; config.py makes the effective configuration of them."""
