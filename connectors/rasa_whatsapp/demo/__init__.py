"""Runs a bot on this machine: with one Rasa server for the demo and for scenario tests, or deployed as a cluster.

`running_bot` and `running_cluster` are the doors for tests. Law: nothing here imports Rasa, and no process outlives the one that started it.
"""

from __future__ import annotations

from rasa_whatsapp.demo.bot import running_bot
from rasa_whatsapp.demo.cluster import running_cluster
from rasa_whatsapp.demo.failures import DemoFailed
from rasa_whatsapp.demo.model import ensure_model
from rasa_whatsapp.demo.ports import Ports
from rasa_whatsapp.demo.stack import Server, Stack

__all__ = ["DemoFailed", "Ports", "Server", "Stack", "ensure_model", "running_bot", "running_cluster"]
