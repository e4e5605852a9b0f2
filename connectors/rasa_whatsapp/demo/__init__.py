"""Runs a bot with simulator, action server and Rasa server on this machine, for the demo and for scenario tests.

`running_bot` is the door for tests. Law: nothing here imports Rasa, and no process outlives the one that started it.
"""

from __future__ import annotations

from rasa_whatsapp.demo.bot import running_bot
from rasa_whatsapp.demo.failures import DemoFailed
from rasa_whatsapp.demo.model import ensure_model
from rasa_whatsapp.demo.ports import Ports
from rasa_whatsapp.demo.stack import Server, Stack

__all__ = ["DemoFailed", "Ports", "Server", "Stack", "ensure_model", "running_bot"]
