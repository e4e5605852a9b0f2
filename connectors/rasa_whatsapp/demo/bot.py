"""Turns a bot's folder into the three servers of its demo: simulator, action server, Rasa.

    with running_bot(bot_folder, state=tmp_path) as stack:
        requests.post(stack.url("simulator") + "/control/customers/4915112345678/messages", json=...)
        stack.kill("rasa"); stack.start("rasa")

Law: what the servers store lies in the state folder; the bot's own accounts and databases are left alone.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rasa_whatsapp.clock import CLOCK_URL_VARIABLE
from rasa_whatsapp.demo.failures import NotABot
from rasa_whatsapp.demo.model import ensure_model
from rasa_whatsapp.demo.ports import HOST, Ports
from rasa_whatsapp.demo.processes import never, nothing
from rasa_whatsapp.demo.settings import CHANNEL, demo_credentials, demo_endpoints, read, write
from rasa_whatsapp.demo.stack import START_LIMIT_SECONDS, Server, Stack
from rasa_whatsapp.demo.state import occupied

TEMPLATES = Path("data/whatsapp_templates.yml")

# No secrets: the simulator's accounts, good for nothing else.
ACCOUNTS = {
    "phone_number_id": "100000000000001",
    "business_account_id": "200000000000001",
    "app_id": "300000000000001",
    "access_token": "demo-access-token",
    "app_secret": "demo-app-secret",
    "verify_token": "demo-verify-token",
}
DISPLAY_PHONE_NUMBER = "4930901820000"

QUIET = {
    "RASA_TELEMETRY_ENABLED": "false",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    "PYTHONWARNINGS": "ignore::DeprecationWarning,ignore::PendingDeprecationWarning",
}


@contextmanager
def running_bot(
    folder: Path,
    *,
    state: Path,
    ports: Ports | None = None,
    model: Path | None = None,
    settings: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    limit_seconds: float = START_LIMIT_SECONDS,
    tick: Callable[[], None] = nothing,
) -> Iterator[Stack]:
    """Run the bot in `folder` while the block runs; everything that it stores goes to `state`, kept for the next run.

    Default are free ports and the bot's newest model, trained when there is none or an old one. `settings` are added to the
    channel's block, `environment` to that of the servers (over all else). The stack's names: `simulator`, `actions` (when the bot has an `actions` module), `rasa`.
    """
    with occupied(state, f"process {os.getpid()}"):
        ports = ports or Ports.unused()
        ports.check()
        model = model or ensure_model(folder, environment=surroundings(), log=state / "logs" / "train.log", tick=tick)
        stack = bot_stack(
            folder,
            state=state,
            ports=ports,
            model=model,
            settings=settings,
            environment=environment,
            limit_seconds=limit_seconds,
            tick=tick,
        )
        with stack:
            stack.start()
            yield stack


def bot_stack(
    folder: Path,
    *,
    state: Path,
    ports: Ports,
    model: Path,
    settings: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    limit_seconds: float = START_LIMIT_SECONDS,
    tick: Callable[[], None] = nothing,
    hurry: Callable[[], bool] = never,
) -> Stack:
    """Write the demo's settings files to `state` and return the bot's servers, not started yet."""
    folder, state = folder.resolve(), state.resolve()
    shared = {**surroundings(), **demo_environment(state, ports), **(environment or {})}
    servers = [simulator(folder, state, ports.simulator, shared, webhook=webhook_of(ports.rasa))]
    if has_actions(folder):
        servers.append(action_server(ports, shared))
    servers.append(rasa_server(state, ports.rasa, model.resolve(), shared))
    write_settings(folder, state, ports, settings or {})
    return Stack(servers, folder=folder, logs=state / "logs", limit_seconds=limit_seconds, tick=tick, hurry=hurry)


def surroundings() -> dict[str, str]:
    """Return this process's environment, made quiet, with no proxy between servers of this machine."""
    known = [part for part in (os.environ.get("NO_PROXY"), os.environ.get("no_proxy")) if part]
    direct = ",".join([*known, HOST, "localhost"])
    return {**os.environ, **QUIET, "NO_PROXY": direct, "no_proxy": direct, "PYTHONUNBUFFERED": "1"}


def demo_environment(state: Path, ports: Ports) -> dict[str, str]:
    """Return the variables by which the bot's own files and actions find the demo."""
    simulator_url = f"http://{HOST}:{ports.simulator}"
    return {
        **{f"WHATSAPP_{name.upper()}": value for name, value in ACCOUNTS.items()},
        "WHATSAPP_GRAPH_URL": simulator_url,
        CLOCK_URL_VARIABLE: clock_of(ports.simulator),
        "RASA_WHATSAPP_CREDENTIALS": str(state / "credentials.yml"),
        "RASA_TRACKER_DB": str(state / "trackers.sqlite"),
        "RASA_ACTION_ENDPOINT": f"http://{HOST}:{ports.actions}/webhook",
        "RASA_WHATSAPP_DEMO_STATE": str(state),
    }


def clock_of(simulator_port: int) -> str:
    """Return the address of the clock by which the bot goes."""
    return f"http://{HOST}:{simulator_port}/control/clock"


def command_beside(simulator_port: int, state: str) -> str:
    """Return what an operator types to run a command on what is stored in `state`, by the simulator's clock."""
    return (
        f"{CLOCK_URL_VARIABLE}={clock_of(simulator_port)} rasa-whatsapp <command> --credentials {state}/credentials.yml"
    )


def webhook_of(port: int) -> str:
    """Return the address that webhooks go to, if who takes them listens on this port."""
    return f"http://{HOST}:{port}/webhooks/whatsapp/webhook"


def simulator(
    folder: Path,
    state: Path,
    port: int,
    environment: Mapping[str, str],
    *,
    webhook: str,
    arguments: Sequence[str] = (),
) -> Server:
    """Return the server that plays WhatsApp. Its accounts come from the environment, to stay off the process list."""
    command = [sys.executable, "-m", "rasa_whatsapp.cli", "simulator", "--host", HOST, "--port", str(port)]
    command += ["--webhook", webhook]
    command += ["--display-phone-number", DISPLAY_PHONE_NUMBER, "--database", str(state / "simulator.sqlite")]
    templates = templates_of(folder)
    if (folder / templates).exists():
        command += ["--templates", str(templates)]
    return Server(
        name="simulator",
        command=(*command, *arguments),
        port=port,
        health="/control/health",
        environment=environment,
        comes_first=True,
    )


def templates_of(folder: Path) -> Path:
    """Return the template file that the bot's credentials name, or else the usual one; relative to the bot's folder."""
    channel = read(folder / "credentials.yml").get(CHANNEL)
    named = channel.get("templates") if isinstance(channel, dict) else None
    return Path(named) if isinstance(named, str) and named else TEMPLATES


def action_server(ports: Ports, environment: Mapping[str, str]) -> Server:
    """Return the action server: what `rasa run actions` runs, without loading Rasa and TensorFlow for it."""
    return Server(
        name="actions",
        command=(sys.executable, "-m", "rasa_sdk", "--actions", "actions", "--port", str(ports.actions)),
        port=ports.actions,
        health="/health",
        environment={**environment, "SANIC_HOST": HOST},
    )


def rasa_server(state: Path, port: int, model: Path, environment: Mapping[str, str], *, name: str = "rasa") -> Server:
    """Return a Rasa server, reachable from this machine only."""
    command = [sys.executable, "-m", "rasa", "run", "--interface", HOST, "--port", str(port), "--model", str(model)]
    command += ["--credentials", str(state / "credentials.yml"), "--endpoints", str(state / "endpoints.yml")]
    return Server(
        name=name,
        command=tuple(command),
        port=port,
        health="/webhooks/whatsapp/",
        environment=environment,
    )


def write_settings(
    folder: Path, state: Path, ports: Ports, settings: Mapping[str, Any], stores: Mapping[str, Any] | None = None
) -> None:
    """Write the credentials and endpoints that the Rasa servers get; `settings` go to the channel's block.

    `stores` are Rasa's own, as endpoints; without them trackers go to a file.
    """
    overrides = {
        **ACCOUNTS,
        "graph_url": f"http://{HOST}:{ports.simulator}",
        "database_url": f"sqlite:///{state / 'whatsapp.sqlite'}",
        **settings,
    }
    actions_url = f"http://{HOST}:{ports.actions}" if has_actions(folder) else None
    state.mkdir(parents=True, exist_ok=True)
    _keep_private(state)
    write(state / "credentials.yml", demo_credentials(read(folder / "credentials.yml"), overrides))
    endpoints = demo_endpoints(
        read(folder / "endpoints.yml"), trackers=state / "trackers.sqlite", actions_url=actions_url
    )
    write(state / "endpoints.yml", {**endpoints, **(stores or {})})


def _keep_private(state: Path) -> None:
    """Let only their owner read secrets and chats: the files are there, empty, before a server would make them for all to read.

    SQLite gives what it makes beside a database the same rights. A cluster on PostgreSQL leaves two of them empty.
    """
    for name in ("credentials.yml", "endpoints.yml", "simulator.sqlite", "trackers.sqlite", "whatsapp.sqlite"):
        (state / name).touch(mode=0o600)
    for path in (*state.glob("*.yml"), *state.glob("*.sqlite*")):
        path.chmod(0o600)  # also those of an earlier version


def has_actions(folder: Path) -> bool:
    """Return whether the bot has custom actions, in a package or a module `actions`."""
    return (folder / "actions").is_dir() or (folder / "actions.py").is_file()


def require_rasa(folder: Path) -> None:
    """Raise NotABot when this Python lacks what the bot needs. Finds the packages without importing them."""
    needed = {"rasa": "rasa", **({"rasa_sdk": "actions"} if has_actions(folder) else {})}
    missing = [extra for module, extra in needed.items() if find_spec(module) is None]
    if missing:
        raise NotABot(f"Rasa is not installed for {sys.executable}: pip install 'rasa-whatsapp[{','.join(missing)}]'")
