"""The checklists that ship, as documents: the demo and a button in the office write them into `commune`."""

import json
from pathlib import Path
from typing import Any

_FILES = Path(__file__).parent / "library"


def documents() -> dict[str, dict[str, Any]]:
    """The fields of each `checklist` document by its id, in order of the ids."""
    found = {}
    for path in sorted(_FILES.glob("*.json")):
        fields = json.loads(path.read_text("utf-8"))
        found[f"checklist:{fields.pop('slug')}:{fields.pop('version')}"] = fields
    return found
