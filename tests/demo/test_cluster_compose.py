"""The compose file holds together: what it names exists, here or on the other side."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest

from rasa_whatsapp import yaml_files
from rasa_whatsapp.cli import COMMANDS, main
from rasa_whatsapp.config import SETTINGS
from rasa_whatsapp.demo.backing import PROXY_TEMPLATE
from rasa_whatsapp.demo.programs import find

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml_files.load(DEPLOY / "compose.yaml")
TLS: dict[str, Any] = yaml_files.load(DEPLOY / "compose.tls.yaml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
CHANNEL: dict[str, Any] = yaml_files.load(DEPLOY / "credentials.yml")["rasa_whatsapp.WhatsAppInput"]
ENDPOINTS: dict[str, Any] = yaml_files.load(DEPLOY / "endpoints.yml")
ENVIRONMENT = dict(re.findall(r"^(\w+)=(.*)$", (DEPLOY / "env.example").read_text("utf-8"), flags=re.MULTILINE))
SECRETS = {"POSTGRES_PASSWORD", "WHATSAPP_ACCESS_TOKEN", "WHATSAPP_APP_SECRET", "WHATSAPP_VERIFY_TOKEN"}
OURS = ("migrate", "intake", "rasa", "actions")


def mounts(service: dict[str, Any]) -> list[str]:
    """Return what a service mounts, as it is written."""
    return service.get("volumes", [])


def test_parts() -> None:
    """Two databases, the migration, the intake, Rasa, the actions, and one door."""
    assert set(SERVICES) == {"postgres", "redis", "migrate", "intake", "rasa", "actions", "proxy"}
    assert SERVICES["rasa"]["deploy"]["replicas"] == "${RASA_REPLICAS:-2}"


def test_one_door() -> None:
    """Only the proxy has a port on the host, and that on this machine's own address unless one says so."""
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"proxy"}
    assert SERVICES["proxy"]["ports"] == ["${PROXY_ADDRESS:-127.0.0.1:8080}:8080"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert {name for name, service in SERVICES.items() if service["networks"] == ["inside"]} == {
        "postgres",
        "redis",
        "migrate",
        "intake",
    }


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"migrate"}))
def test_each_is_watched_and_started_again(name: str) -> None:
    """Health is asked, and who ends is started again."""
    assert SERVICES[name]["restart"] == "unless-stopped"
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"


def test_tables_come_first() -> None:
    """What uses the store waits for the migration, and the migration for the database."""
    assert SERVICES["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name in ("intake", "rasa"):
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


@pytest.mark.parametrize("compose", [COMPOSE, TLS], ids=["compose.yaml", "compose.tls.yaml"])
def test_mounted_files_exist(compose: dict[str, Any]) -> None:
    """Files are found from the compose file's folder; names of volumes are declared."""
    for service in compose["services"].values():
        for source in (mount.split(":")[0] for mount in mounts(service)):
            if source.startswith("."):
                assert (DEPLOY / source).is_file(), source
            elif not source.startswith("${TLS_FOLDER"):
                assert source in compose["volumes"]
    assert (DEPLOY / ".." / "connectors/rasa_whatsapp/demo/proxy.conf.template").resolve() == PROXY_TEMPLATE.resolve()


def test_images_are_built_from_what_is_there() -> None:
    """The targets are stages, and what is copied exists and is let through to the build."""
    dockerfile = (DEPLOY / "Dockerfile").read_text("utf-8")
    stages = set(re.findall(r"^FROM \S+ AS (\w+)$", dockerfile, flags=re.MULTILINE))
    assert {service["build"]["target"] for name, service in SERVICES.items() if name in OURS} == stages
    let_through = (ROOT / ".dockerignore").read_text("utf-8").split()
    for line in re.findall(r"^COPY (.+) \S+$", dockerfile, flags=re.MULTILINE):
        for source in line.split():
            assert (ROOT / source).exists(), source
            assert f"!{source}" in let_through, source


def test_variables_are_in_the_example() -> None:
    """What is asked of the environment stands in env.example, and no secret has a value there."""
    texts = [(DEPLOY / name).read_text("utf-8") for name in ("compose.yaml", "compose.tls.yaml", "credentials.yml")]
    texts.append((DEPLOY / "endpoints.yml").read_text("utf-8"))
    asked = {name for text in texts for name in re.findall(r"\$\{(\w+)", text)} - {"NAME"}
    assert asked == set(ENVIRONMENT)
    assert {ENVIRONMENT[name] for name in SECRETS} == {""}
    assert "deploy/.env" in (ROOT / ".gitignore").read_text("utf-8").split()


def test_our_commands_exist() -> None:
    """Each `rasa-whatsapp` command knows the options that it gets."""
    for name, service in SERVICES.items():
        words = service.get("command", [])
        if words[:1] != ["rasa-whatsapp"]:
            continue
        assert words[1] in COMMANDS, name
        command = main.get_command(click.Context(main), words[1])
        if isinstance(command, click.Group):
            command = command.get_command(click.Context(command), words[2])
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options


def test_channel_uses_the_services() -> None:
    """Credentials name settings that there are, and the database of the postgres service."""
    assert set(CHANNEL) <= {setting.name for setting in SETTINGS}
    user, database = (SERVICES["postgres"]["environment"][name] for name in ("POSTGRES_USER", "POSTGRES_DB"))
    assert CHANNEL["database_url"] == f"postgresql://{user}:${{POSTGRES_PASSWORD}}@postgres:5432/{database}"
    assert (ROOT / CHANNEL["templates"]).is_file()


@pytest.mark.filterwarnings("ignore")
def test_rasa_uses_the_services() -> None:
    """Rasa's stores take these keys, and they name the services; both stores are one database."""
    from rasa.core.lock_store import RedisLockStore
    from rasa.core.tracker_store import SQLTrackerStore

    trackers, locks = dict(ENDPOINTS["tracker_store"]), dict(ENDPOINTS["lock_store"])
    assert (trackers.pop("type"), locks.pop("type")) == ("SQL", "redis")
    address = SQLTrackerStore.get_db_url(host=trackers.pop("url"), **trackers)
    assert address.render_as_string(hide_password=False) == CHANNEL["database_url"]
    store = RedisLockStore(host=locks.pop("url"), **locks)
    assert store.red.connection_pool.connection_kwargs["host"] in SERVICES
    assert ENDPOINTS["action_endpoint"] == {"url": "http://actions:5055/webhook"}
    assert SERVICES["actions"]["command"][-1] == "5055"


@pytest.mark.parametrize("with_tls", [False, True], ids=["plain", "TLS"])
def test_proxy_configuration_is_valid(with_tls: bool, tmp_path: Path) -> None:
    """What nginx's image makes of the template and its environment is accepted by nginx.

    But for what only newer ones know (`resolve`), and for names that lead somewhere in Docker only.
    """
    environment = SERVICES["proxy"]["environment"] | (TLS["services"]["proxy"]["environment"] if with_tls else {})
    rendered = PROXY_TEMPLATE.read_text("utf-8")
    for name, value in environment.items():
        rendered = rendered.replace(f"${{{name}}}", value)
    assert "${" not in rendered
    assert "server intake:5006 resolve max_fails=1 fail_timeout=1s;" in rendered
    assert "server rasa:5005 resolve backup;" in rendered
    rendered = re.sub(r"server (intake|rasa):(\d+) resolve", r"server 127.0.0.1:\2", rendered)
    includes = ["proxy.conf", DEPLOY / "resolver.conf"]
    (tmp_path / "proxy.conf").write_text(rendered, "utf-8")
    if with_tls:
        includes.append(tls_configuration(tmp_path))
    body = "".join(f"include {path};\n" for path in includes)
    (tmp_path / "nginx.conf").write_text(f"pid nginx.pid;\nevents {{}}\nhttp {{\n{body}}}\n", "utf-8")
    command = [find("nginx"), "-t", "-e", "stderr", "-p", str(tmp_path), "-c", "nginx.conf"]
    tried = subprocess.run(command, capture_output=True, text=True, check=False)
    assert tried.returncode == 0, tried.stderr


def tls_configuration(folder: Path) -> Path:
    """Return deploy/tls.conf with a certificate that was made for the test."""
    key, certificate = folder / "privkey.pem", folder / "fullchain.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-subj", "/CN=localhost", "-days", "1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    text = (DEPLOY / "tls.conf").read_text("utf-8").replace("/etc/nginx/tls", str(folder))
    (folder / "tls.conf").write_text(text, "utf-8")
    return folder / "tls.conf"
