"""Tables that Python and TypeScript must agree on (test_vectors.py, pwa/tests/vectors.test.ts)."""

import json
from pathlib import Path
from typing import Any


def table(name: str) -> list[Any]:
    """The cases of one table."""
    return list(whole(name))


def whole(name: str) -> Any:
    """One file as it is."""
    return json.loads((Path(__file__).parent / f"{name}.json").read_text("utf-8"))


def acts(short: list[str]) -> list[dict[str, Any]]:
    """Acts from their short forms (`visit met`, `signed`, `voided 0`), in the order of time."""

    def act(n: int, words: list[str]) -> dict[str, Any]:
        whole: dict[str, Any] = {"id": f"{n:026d}", "at": f"2026-03-01T02:00:{n:02d}Z", "by": "user1"}
        match words:
            case ["visit", result]:
                return whole | {"kind": "visit", "result": result}
            case ["signed"]:
                return whole | {"kind": "signed", "method": "paper_signed"}
            case [kind, target]:
                return whole | {"kind": kind, "target": f"{int(target):026d}"}
        raise ValueError(words)

    return [act(n, text.split()) for n, text in enumerate(short)]
