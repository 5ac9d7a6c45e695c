"""What is kept between two pages: files before they are confirmed, receipts until they are fetched. Sealed on
the server's disk, for their owner, for two hours.
"""

import json
import re
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from server.auth import tokens
from server.clock import instant
from server.keys import Vault

LASTS = timedelta(hours=2)
_TOKEN = re.compile(r"[a-z0-9]{20}")


class UploadGone(Exception):
    """No such file of this person, or it was kept for too long."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What a person decided about the file so far (`server.lists.Choices`, as plain data)."""

    hamlet: str = ""
    hamlets: dict[str, str] = field(default_factory=dict)
    answers: dict[str, Literal["same", "new"]] = field(default_factory=dict)
    leave_bad_rows: bool = False
    headless: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file with what was decided about it."""

    token: str
    owner: str
    at: str
    filename: str
    data: bytes
    settled: Settled


class Shelf:
    """Where the files lie: a folder of the data directory, each sealed for its own name."""

    def __init__(self, data: Path, vault: Vault, folder: str = "uploads") -> None:
        self._place = data / folder
        self._vault = vault

    def add(self, owner: str, filename: str, data: bytes, now: datetime, settled: Settled = Settled()) -> str:
        """Keep a file; answers its token. Files that were left lying go."""
        self._place.mkdir(mode=0o700, exist_ok=True)
        self._sweep(now)
        upload = Upload(tokens.mint_id(20), owner, instant(now), filename, data, settled)
        self.put(upload)
        return upload.token

    def put(self, upload: Upload) -> None:
        """Keep what was decided since."""
        head = asdict(upload)
        del head["data"]
        plain = json.dumps(head).encode() + b"\n" + upload.data
        path = self._place / upload.token
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_bytes(self._vault.seal(plain, _purpose(upload.token)))
        fresh.replace(path)

    def get(self, token: str, owner: str, now: datetime) -> Upload:
        """A person's own file. Raises `UploadGone`."""
        if not _TOKEN.fullmatch(token):
            raise UploadGone
        try:
            sealed = (self._place / token).read_bytes()
        except FileNotFoundError as error:
            raise UploadGone from error
        head, _, data = self._vault.open(sealed, _purpose(token)).partition(b"\n")
        kept = json.loads(head)
        if kept["owner"] != owner or kept["at"] < instant(now - LASTS):
            raise UploadGone
        settled = Settled(**kept.pop("settled"))
        return Upload(**kept, data=data, settled=settled)

    def take(self, token: str) -> None:
        """Take a file off the shelf to write it: of two who try, one does. Raises `UploadGone`."""
        try:
            (self._place / token).rename(self._place / f"{token}.taken")
        except FileNotFoundError as error:
            raise UploadGone from error

    def put_back(self, token: str) -> None:
        """It was not written after all."""
        (self._place / f"{token}.taken").rename(self._place / token)

    def drop(self, token: str) -> None:
        """Forget a file, taken or not."""
        for name in (token, f"{token}.taken"):
            (self._place / name).unlink(missing_ok=True)

    def _sweep(self, now: datetime) -> None:
        # by the files' own times: what cannot be opened any more must go too
        for path in self._place.iterdir():
            if path.stat().st_mtime < (now - LASTS).timestamp():
                path.unlink(missing_ok=True)


def own_name(filename: str) -> str:
    """A file's own name, without the folders that some browsers send."""
    return re.split(r"[\\/]", filename)[-1][-120:]


def _purpose(token: str) -> bytes:
    return f"upload {token}".encode()
