"""Every story has a commune of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.app import opened
from server.auth import users
from server.auth.grant import Role
from server.parts import Parts
from server.scribe import Change
from server.settings import Settings
from tests.server.documents import LAN, MAI, QUAN
from tests.server.moves.ground import ADMIN, NAMES, Hands


@pytest.fixture
async def commune(tmp_path: Path) -> AsyncIterator[Parts]:
    """A commune of three hamlets: Lan walks the first, Mai the second."""
    clock = Hands()
    async with opened(Settings(data=tmp_path), clock) as parts:
        with parts.rows.begin() as rows:
            for who, held in ((LAN, ["nasam"]), (MAI, ["bankhu"])):
                users.add(rows, who, Role.VOLUNTEER, by=QUAN, now=parts.clock(), hamlets=held, person=who)
        fields = [
            {"name": name, "kind": "thôn", "order": n, "state": "active"}
            for n, name in enumerate(NAMES.values())
        ]
        made = [Change(f"hamlet:{hid}", said) for hid, said in zip(NAMES, fields, strict=True)]
        await parts.scribe.write(ADMIN, {"commune": made})
        yield parts
