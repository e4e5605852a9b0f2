"""`rasa-whatsapp cluster`: options to a deployment on one machine that runs until Ctrl-C.

Ends as `rasa-whatsapp demo` does, and with 6 when a program of others (PostgreSQL, Redis, nginx) is not installed.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import click

from rasa_whatsapp.demo import cluster, programs
from rasa_whatsapp.demo.bot import command_beside, require_rasa, webhook_of
from rasa_whatsapp.demo.model import require_bot
from rasa_whatsapp.demo.ports import HOST, Ports
from rasa_whatsapp.demo.stack import START_LIMIT_SECONDS
from rasa_whatsapp.demo.state import forget, occupied
from rasa_whatsapp.demo.terminal import Terminal, exit_codes

DEFAULT_PROXY_PORT = 8080


@click.command(context_settings={"show_default": True, "max_content_width": 110})
@click.option("--servers", default=2, type=click.IntRange(1, 16), help="How many Rasa servers.")
@click.option("--proxy-port", default=DEFAULT_PROXY_PORT, type=click.IntRange(1, 65535), help="Port of the proxy.")
@click.option(
    "--simulator-port", default=Ports().simulator, type=click.IntRange(1, 65535), help="Port of the simulator."
)
@click.option("--train", is_flag=True, help="Train the model even when it is up to date.")
@click.option("--reset", is_flag=True, help=f"Forget all chats and databases: empty {cluster.STATE} first.")
@click.option("--yes", is_flag=True, help="Do not ask before --reset.")
@click.option("--start-limit", default=START_LIMIT_SECONDS, help="Seconds that a server has for its start.")
def command(
    servers: int,
    proxy_port: int,
    simulator_port: int,
    *,
    train: bool,
    reset: bool,
    yes: bool,
    start_limit: float,
) -> None:
    """Run the bot in this folder as in production, against a simulated WhatsApp, on this machine.

    Starts a PostgreSQL, a Redis and an nginx of its own (Debian's packages, nothing of the system is touched), the intake, Rasa
    servers, the action server and the simulator, each on a free port but for the two that can be chosen. A server that ends, or
    that you kill, is started again. What they store is kept in .cluster.
    """
    if reset and not yes:
        click.confirm("Delete all chats, databases and logs of the cluster?", abort=True)
    ports = {"proxy": proxy_port, "simulator": simulator_port}
    with exit_codes():
        _run(Path.cwd(), ports, servers, start_limit, train=train, reset=reset)


def _run(folder: Path, chosen: dict[str, int], servers: int, start_limit: float, *, train: bool, reset: bool) -> None:
    """Run until stopped (StopRequested) or failed (DemoFailed); either way nothing is left running."""
    require_bot(folder)
    require_rasa(folder)
    programs.require_all()
    terminal = Terminal()
    state = folder / cluster.STATE
    with occupied(state, f"process {os.getpid()}"):
        if reset:
            forget(state)
        ports = cluster.all_ports(servers, chosen)
        model = terminal.model(folder, state=state, force=train)
        deployed = cluster.Cluster(folder=folder, state=state, model=model, ports=ports, servers=servers)
        stack = cluster.cluster_stack(deployed, limit_seconds=start_limit, tick=terminal.tick, hurry=terminal.hurry)
        terminal.serve(
            stack,
            start=partial(cluster.start, deployed, stack, terminal.tick),
            where=_where(ports, stack.url("postgres")),
            then=partial(cluster.keep_running, stack, terminal.tick, click.echo),
            logs=f"{cluster.STATE}/logs",
        )


def _where(ports: dict[str, int], database_url: str) -> tuple[str, ...]:
    return (
        f"Phone page:  http://{HOST}:{ports['simulator']}/",
        f"Webhooks:    {webhook_of(ports['proxy'])}",
        f"Database:    {database_url}",
        f"Commands:    {command_beside(ports['simulator'], cluster.STATE)}",
        f"Ctrl-C stops the cluster; chats and databases stay in {cluster.STATE}.",
    )
