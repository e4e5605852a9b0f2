"""Turns a folder and a port into the Redis and the nginx of a cluster.

Law: each keeps what it writes in its own folder, and nothing of the system's configuration is read.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from string import Template

from rasa_whatsapp.demo.ports import HOST
from rasa_whatsapp.demo.probes import listens, serves_redis
from rasa_whatsapp.demo.programs import find
from rasa_whatsapp.demo.stack import Server

REDIS_DATABASE = 1
# deploy/compose.yaml mounts the same file; there nginx's own image fills it in.
PROXY_TEMPLATE = Path(__file__).with_name("proxy.conf.template")

# Around the proxy's part, for which the image of compose.yaml has an nginx.conf of its own. One process: workers would
# outlive a master that is killed with its starter, and keep the port.
NGINX = """\
daemon off;
master_process off;
pid nginx.pid;
error_log stderr warn;
events { worker_connections 1024; }
http {
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    include proxy.conf;
}
"""


def redis_server(folder: Path, port: int) -> Server:
    """Return a Redis that writes down every change, so that Rasa's locks outlive it."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [find("redis-server"), "--bind", HOST, "--port", str(port), "--dir", str(folder)]
    command += ["--appendonly", "yes", "--save", "", "--daemonize", "no"]
    return Server(
        name="redis",
        command=tuple(command),
        port=port,
        probe=serves_redis,
        address=f"redis://{HOST}:{port}/{REDIS_DATABASE}",
        environment=os.environ,
        comes_first=True,
    )


def proxy_server(folder: Path, port: int, *, intake: int, rasa: Sequence[int]) -> Server:
    """Write the proxy's configuration and return the proxy; the others are named by their ports."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nginx.conf").write_text(NGINX, "utf-8")
    (folder / "proxy.conf").write_text(proxy_configuration(port, intake=intake, rasa=rasa), "utf-8")
    return Server(
        name="proxy",
        # -e: else it opens the system's error log before it reads a configuration
        command=(find("nginx"), "-e", "stderr", "-p", str(folder), "-c", "nginx.conf"),
        port=port,
        probe=listens,  # it is ready also while nobody is behind it
        environment=os.environ,
    )


def proxy_configuration(port: int, *, intake: int, rasa: Sequence[int]) -> str:
    """Return the template of the proxy, filled in."""
    values = {
        "LISTEN": f"{HOST}:{port}",
        "INTAKE": f"{HOST}:{intake}",
        "RASA_SERVERS": " ".join(f"server {HOST}:{number} backup;" for number in rasa),
    }
    # "safe": nginx's own $variables stay
    return Template(PROXY_TEMPLATE.read_text("utf-8")).safe_substitute(values)
