"""One village for a test; what it does to it, it does alone."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.server.office.village import Village, village


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[Village]:
    async with village(tmp_path) as one:
        yield one
