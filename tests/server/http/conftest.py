"""A server on a port of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.server.http.served import Hands, Served, served


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
async def camket(tmp_path: Path, clock: Hands) -> AsyncIterator[Served]:
    async with served(tmp_path / "data", clock) as running:
        yield running
