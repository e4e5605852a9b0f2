"""`python -m rasa_whatsapp.cli`: the `rasa-whatsapp` command without its console script, of exactly this Python."""

from __future__ import annotations

from rasa_whatsapp.cli import main

main(prog_name="rasa-whatsapp")
