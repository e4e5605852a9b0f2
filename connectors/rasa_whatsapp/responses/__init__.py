"""Rasa's responses: each response dict of the domain or the dialogue as what WhatsApp can be told, without any I/O but reading files."""
