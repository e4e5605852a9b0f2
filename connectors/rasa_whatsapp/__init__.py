"""WhatsApp for Rasa: a channel that loses nothing and knows when it may speak.

Importing this package is light; the Rasa edge is loaded when `WhatsAppInput` is first asked for, which is how
`credentials.yml` names it (`rasa_whatsapp.WhatsAppInput`). The map of the modules is in docs/architecture.md.
"""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"
__all__ = ["WhatsAppInput", "__version__"]


def __getattr__(name: str) -> Any:
    """Load `WhatsAppInput` on demand, so that the core and the command line never import Rasa."""
    if name == "WhatsAppInput":
        from rasa_whatsapp.channel import WhatsAppInput

        return WhatsAppInput
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
