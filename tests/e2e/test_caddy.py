"""The README's Caddy example, run as it stands but for the name, the ports and the certificate's issuer."""

import re
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.running import ROOT, Running, free_port


@pytest.fixture(scope="module")
def https(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Camket behind Caddy: the https address, and the root certificate that vouches for it."""
    home = tmp_path_factory.mktemp("caddy")
    port = free_port()
    url = f"https://localhost:{port}"
    found = re.search(r"```caddy\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert found is not None
    env = {"CAMKET_PUBLIC_URL": url, "CAMKET_TRUSTED_PROXIES": "127.0.0.1"}
    with Running(home / "data", env=env) as server:
        example = found.group(1).replace("camket.example.vn", url).replace("8000", str(server.port))
        local = "{\n admin off\n skip_install_trust\n auto_https disable_redirects\n}\n"
        (home / "Caddyfile").write_text(local + example, "utf-8")
        command = [shutil.which("caddy") or "caddy", "run", "--config", "Caddyfile", "--adapter", "caddyfile"]
        with (home / "caddy.log").open("wb") as log:
            caddy = subprocess.Popen(
                command,
                cwd=home,
                env={"HOME": str(home), "XDG_DATA_HOME": str(home), "PATH": "/usr/bin:/bin"},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        root = home / "caddy" / "pki" / "authorities" / "local" / "root.crt"
        try:
            _wait(url, root)
            yield url, root
        finally:
            caddy.terminate()
            caddy.wait(10)


def _wait(url: str, root: Path) -> None:
    """Until Caddy has made its certificate and answers."""
    for _ in range(100):
        if root.exists():
            try:
                httpx.get(f"{url}/healthz", verify=ssl.create_default_context(cafile=str(root)))
            except httpx.TransportError:
                pass
            else:
                return
        time.sleep(0.1)
    raise AssertionError("Caddy did not come up")


def test_the_readme_example_serves_the_app_over_https(https: tuple[str, Path]) -> None:
    url, root = https
    with httpx.Client(base_url=url, verify=ssl.create_default_context(cafile=str(root))) as phone:
        shell = phone.get("/join")
        assert shell.status_code == 200
        assert "<title>" in shell.text
        assert "max-age" in shell.headers["strict-transport-security"]
        refused = phone.post("/db/_exchange", json={"clock": 0, "dbs": {}})
        assert refused.status_code == 401
