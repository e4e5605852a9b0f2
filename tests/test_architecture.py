"""The map of the imports: what decides does no I/O, Rasa stays at its edge, the simulator is a stranger."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "connectors" / "rasa_whatsapp"
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))
PURE = [module for module in MODULES if module.startswith(("cloud/", "policy/"))]
STRANGER = [module for module in MODULES if module.startswith("simulator/")]
OURS = [module for module in MODULES if not module.startswith("simulator/")]

RASA_EDGE = {"channel.py", "output.py", "rasa_dialogue.py", "rasa_turns.py", "reminders.py"}
# who knows aiohttp beside the transport: what serves with it, and what tells Rasa's broken connections from other errors
HTTP_EDGE = {"cli/simulator.py": {"aiohttp", "aiohttp.web"}, "rasa_turns.py": {"aiohttp"}}
IMPURE = {
    "aiohttp", "alembic", "asyncio", "http", "logging", "os", "pathlib", "random", "rasa", "requests", "ruamel", "sanic",
    "secrets", "socket", "sqlalchemy", "sqlite3", "subprocess", "tempfile", "threading", "time", "urllib", "uuid", "yaml",
}  # fmt: skip


def tree_of(module: str) -> ast.Module:
    """Return the syntax tree of a module."""
    return ast.parse((PACKAGE / module).read_text(encoding="utf-8"))


def imports_of(module: str) -> set[str]:
    """Return the full names of everything that a module imports, also inside functions."""
    names: set[str] = set()
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            names.update({base, *(f"{base}.{alias.name}" for alias in node.names)})
    return names


def roots_of(module: str) -> set[str]:
    """Return the top-level packages that a module imports."""
    return {name.split(".")[0] for name in imports_of(module)}


def within(name: str, package: str) -> bool:
    """Tell whether a dotted name is the package or below it."""
    return name == package or name.startswith(f"{package}.")


@pytest.mark.parametrize("module", PURE)
def test_what_decides_does_no_io(module):
    """cloud/ and policy/ import nothing that reads the world, and nothing of ours but each other and the errors."""
    assert roots_of(module) & IMPURE == set()
    ours = {name for name in imports_of(module) if within(name, "rasa_whatsapp")}
    allowed = ("rasa_whatsapp.cloud", "rasa_whatsapp.policy", "rasa_whatsapp.errors")
    assert [
        name for name in ours if name != "rasa_whatsapp" and not any(within(name, known) for known in allowed)
    ] == []


@pytest.mark.parametrize(
    "module", [module for module in MODULES if module.startswith("responses/") and module != "responses/domain.py"]
)
def test_responses_are_read_without_io(module):
    """What a response means does not depend on the world; only the reader of domain files opens something."""
    # taking names and addresses apart reads nothing
    harmless = {"pathlib", "pathlib.PurePosixPath", "urllib.parse", "urllib.parse.unquote"}
    assert {name for name in imports_of(module) - harmless if name.split(".")[0] in IMPURE} == set()


@pytest.mark.parametrize("module", [module for module in PURE if module.startswith("cloud/")])
def test_the_wire_knows_no_policy(module):
    """cloud/ reads and writes Meta's words; what they allow is decided elsewhere."""
    assert [name for name in imports_of(module) if within(name, "rasa_whatsapp.policy")] == []


@pytest.mark.parametrize(
    "module", [module for module in OURS if module != "clock.py" and not module.startswith("demo/")]
)
def test_the_time_is_an_argument(module):
    """Nobody but the clock asks what time it is."""
    asked = [
        ast.unparse(node.func)
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]
    forbidden = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.monotonic")
    assert [call for call in asked if call.endswith(forbidden)] == []


@pytest.mark.parametrize("module", MODULES)
def test_rasa_stays_at_its_edge(module):
    """Rasa and Sanic are imported by the edge only, and rasa_sdk nowhere."""
    assert "rasa_sdk" not in roots_of(module)
    if module not in RASA_EDGE:
        assert roots_of(module) & {"rasa", "sanic", "tensorflow"} == set()


@pytest.mark.parametrize(
    "module", [module for module in OURS if not module.startswith("demo/") and module != "cli/demo.py"]
)
def test_one_socket_out(module):
    """Only the transport and the command line's client open connections to Graph; the clock asks a simulator, servers serve."""
    if module not in ("transport.py", "templates/account.py", "clock.py"):
        clients = {name for name in imports_of(module) if name.split(".")[0] in ("aiohttp", "requests", "httpx")}
        assert clients <= HTTP_EDGE.get(module, set())


@pytest.mark.parametrize("module", [module for module in OURS if not module.startswith("demo/")])
def test_one_driver(module):
    """PostgreSQL's own driver is used where SQLAlchemy has no words: for what it tells by itself."""
    if module != "storage/listening.py":
        assert "psycopg2" not in roots_of(module)


@pytest.mark.parametrize("module", OURS)
def test_one_server(module):
    """Only the intake's command serves HTTP by itself; what it serves knows no server."""
    if module != "cli/intake.py":
        assert "uvicorn" not in roots_of(module)


@pytest.mark.parametrize("module", STRANGER)
def test_the_simulator_is_a_stranger(module):
    """It has its own opinion of the API: it imports nothing from the rest."""
    names = {name for name in imports_of(module) if within(name, "rasa_whatsapp")}
    assert [name for name in names if name != "rasa_whatsapp" and not within(name, "rasa_whatsapp.simulator")] == []
    assert "__version__" not in {name.removeprefix("rasa_whatsapp.") for name in names}


@pytest.mark.parametrize("module", [module for module in OURS if module != "cli/simulator.py"])
def test_nobody_knows_the_simulator(module):
    """Only its command starts it."""
    assert [name for name in imports_of(module) if within(name, "rasa_whatsapp.simulator")] == []


@pytest.mark.parametrize("module", MODULES)
def test_imports_are_absolute(module):
    """Every name says where it comes from."""
    assert [name for name in imports_of(module) if name.startswith(".")] == []


@pytest.mark.parametrize("module", MODULES)
def test_modules_say_what_they_are(module):
    """A module begins with a docstring, and with annotations that are not evaluated."""
    tree = tree_of(module)
    assert ast.get_docstring(tree)
    if len(tree.body) > 1:
        assert "__future__" in roots_of(module)


def test_nothing_says_the_second_name():
    """`connectors` is a folder, no package: imported under it, the plugin would be a second, unequal module."""
    assert not (PACKAGE.parent / "__init__.py").exists()
    wrong = "connectors" + ".rasa_whatsapp"
    suffixes = {".py", ".yml", ".yaml", ".toml", ".cfg", ".sh", ".mako"}
    folders = [ROOT / name for name in ("connectors", "actions", "data", "tests", "benchmarks", ".ci")]
    files = [path for folder in folders if folder.is_dir() for path in folder.rglob("*") if path.suffix in suffixes]
    files += [path for path in ROOT.iterdir() if path.is_file() and path.suffix in suffixes]
    assert [path for path in files if wrong in path.read_text(encoding="utf-8", errors="replace")] == []


@pytest.mark.parametrize(
    "statement",
    [
        "import rasa_whatsapp",
        "import rasa_whatsapp.cli, rasa_whatsapp.cli.check, rasa_whatsapp.cli.inbox",
        "import rasa_whatsapp.gateway, rasa_whatsapp.config, rasa_whatsapp.transport",
        "import rasa_whatsapp.clock",
        "import rasa_whatsapp.simulator.app",
    ],
    ids=["the package", "the command line", "the core", "the clock", "the simulator"],
)
def test_light_imports(statement):
    """Importing the core or running the command line loads neither Rasa nor TensorFlow."""
    program = f"import sys; {statement}; print(sorted({{name.split('.')[0] for name in sys.modules}}))"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT, timeout=60
    )
    loaded = set(ast.literal_eval(run.stdout))
    assert loaded & {"eld", "rasa", "rasa_sdk", "sanic", "tensorflow", "numpy"} == set()


def test_actions_get_the_time_without_the_store():
    """An action server imports the clock and what tells of the window, and with it neither SQLAlchemy nor aiohttp."""
    program = "import sys, rasa_whatsapp.clock, rasa_whatsapp.custom_actions; print(sorted(sys.modules))"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT, timeout=60
    )
    assert {name.split(".")[0] for name in ast.literal_eval(run.stdout)} & {"sqlalchemy", "aiohttp"} == set()
