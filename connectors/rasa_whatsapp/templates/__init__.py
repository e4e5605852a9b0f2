"""Templates as code: declared in YAML beside the bot, checked, handed in for review and fetched back (`rasa-whatsapp templates`)."""
