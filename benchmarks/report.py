"""What the benchmarks share: the model, the table, and the line about machine, disk and versions below it."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("rasa", "sanic", "uvloop", "aiohttp", "SQLAlchemy")


def prepare(model: Path | None) -> Path:
    """Make this process and its children quiet as the demo's are; return the model, by default the bot's own, up to date."""
    from rasa_whatsapp.demo import ensure_model
    from rasa_whatsapp.demo.bot import surroundings

    os.environ.update(surroundings())
    return model or ensure_model(ROOT)


def bot_with_rest(to: Path) -> Path:
    """Return a copy of the example bot that has Rasa's REST channel, too."""
    for name in ("actions", "data"):
        shutil.copytree(ROOT / name, to / name)
    for name in ("config.yml", "domain.yml", "endpoints.yml"):
        shutil.copy(ROOT / name, to / name)
    (to / "credentials.yml").write_text((ROOT / "credentials.yml").read_text("utf-8") + "\nrest:\n", "utf-8")
    return to


def median(values: Iterable[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def p95(values: Iterable[float]) -> float:
    """Return the value that 95 of 100 do not exceed."""
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def show(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table in Markdown, columns aligned."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    print(f"\n{title}\n")
    for row in [header, ["-" * width for width in widths], *rows]:
        first, *others = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        cells = [first, *(cell.strip().rjust(len(cell)) for cell in others)]
        print(f"| {' | '.join(cells)} |")


def show_machine(folder: Path) -> None:
    """Print where this ran; `folder` is where the stores lie."""
    now = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    load = ", ".join(f"{part:.1f}" for part in os.getloadavg())
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    print(f"\n{now}; {_cpu()}, {len(os.sched_getaffinity(0))} cores, load {load}")
    print(f"Python {platform.python_version()}, {versions}, SQLite {sqlite3.sqlite_version}")
    print(
        f"stores on {_file_system(folder)}; one 4 KiB write and fsync there: {fsync_ms(folder):.2f} ms (median of 100)"
    )


def fsync_ms(folder: Path) -> float:
    """Return the median time of making 4 KiB durable in this folder: the floor under every commit."""
    times = []
    with tempfile.NamedTemporaryFile(dir=folder, buffering=0) as file:
        for _ in range(100):
            file.write(b"x" * 4096)
            begun = time.perf_counter()
            os.fsync(file.fileno())
            times.append((time.perf_counter() - begun) * 1000)
    return median(times)


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _file_system(folder: Path) -> str:
    """Return the type of the file system that holds the folder."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text("utf-8").splitlines()]
    holding = [mount for mount in mounts if folder.resolve().is_relative_to(mount[1])]
    return max(holding, key=lambda mount: len(mount[1]))[2]
