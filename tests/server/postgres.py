"""PostgreSQL for the tests: what CAMKET_TEST_DATABASE_URL names, else Debian's, started for this run."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_INSTALLED = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def server_url() -> str | None:
    """The server to use, None where one must be started."""
    return os.environ.get("CAMKET_TEST_DATABASE_URL")


def installed() -> bool:
    """Whether there is a PostgreSQL to start."""
    return bool(_INSTALLED) and (os.geteuid() != 0 or _unprivileged() is not None)


@contextmanager
def started() -> Iterator[str]:
    """A server of its own on a socket in a directory of its own, gone afterwards. Its URL."""
    home = Path(tempfile.mkdtemp(prefix="camket-pg-"))
    user = _unprivileged() if os.geteuid() == 0 else None
    if user:
        shutil.chown(home, user)
    data = home / "data"
    options = f"-c listen_addresses= -c unix_socket_directories={home} -c fsync=off -c max_connections=50"
    try:
        _run(user, "initdb", "-D", data, "-U", "camket", "-A", "trust", "-E", "UTF8", "--no-sync")
        _run(user, "pg_ctl", "-D", data, "-w", "-l", home / "log", "-o", options, "start")
        yield f"postgresql://camket@/postgres?host={home}"
        _run(user, "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _run(user: str | None, program: str, *arguments: object) -> None:
    command = [str(_INSTALLED[-1] / program), *map(str, arguments)]
    # PostgreSQL refuses to run as root; a socket and its data need nobody's privileges
    subprocess.run(command, check=True, capture_output=True, user=user, cwd="/", timeout=60)


def _unprivileged() -> str | None:
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        return None
