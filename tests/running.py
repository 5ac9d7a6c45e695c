"""A real server process, started, stopped, killed and started again on the same port."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    """A port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def camket(
    *words: str, env: dict[str, str] | None = None, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run one `camket` command to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "server", *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if check and done.returncode:
        raise AssertionError(
            f"camket {' '.join(words)} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
    return done


class Running:
    """`camket <words> --data DATA --port PORT` as a process of its own; its output goes to a file."""

    def __init__(
        self, data: Path, words: Sequence[str] = ("serve",), env: dict[str, str] | None = None
    ) -> None:
        self.data = data
        self.words = tuple(words)
        self.env = env or {}
        self.port = free_port()
        self.log = data.parent / f"{data.name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, patience: float = 60.0) -> Self:
        """Start, and return once /healthz answers. Raises AssertionError with the log where it does not."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "server",
                    *self.words,
                    "--data",
                    str(self.data),
                    "--port",
                    str(self.port),
                ],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), **self.env},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:
                    if answer.status == 200:
                        return self
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.05)  # the only event a starting process offers is that its port answers
        raise AssertionError(f"the server did not come up:\n{self.output()}")

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(30)
            self.process = None

    def output(self) -> str:
        """All that it has printed."""
        return self.log.read_text("utf-8", errors="replace") if self.log.exists() else ""

    def found(self, pattern: str) -> str:
        """The first group of the first match in its output."""
        hit = re.search(pattern, self.output())
        if hit is None:
            raise AssertionError(f"{pattern!r} is not in the output:\n{self.output()}")
        return hit.group(1)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.stop()
