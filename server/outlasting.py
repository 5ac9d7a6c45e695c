"""The ledger outside of the rows: a file of lines beside the data, written before an erasure or a revocation
is told. Rows that are damaged, which is why most backups are restored, take nothing of it with them.

Lines are only ever added, each `{"kind", "db", "id", "at", "by"}` as in the rows; of the kind `returned` is a
person who was let in again. A line that was cut off has been told to nobody, and is dropped.
"""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

from sync.store.interface import StoreFull

NAME = "ledger.jsonl"
RETURNED = "returned"

Entry = Mapping[str, Any]


class LedgerUnread(Exception):
    """What was erased and revoked cannot be read from this file."""

    def __init__(self, file: Path) -> None:
        super().__init__(str(file))
        self.file = file


def add(file: Path, entries: Iterable[Entry]) -> None:
    """Write these to the disk, after what is there; the file is there from then on. Raises `StoreFull`."""
    lines = "".join(f"{json.dumps(dict(entry))}\n" for entry in entries).encode()
    is_new = not file.exists()
    if not lines and not is_new:
        return
    try:
        with file.open("ab+") as out:
            out.truncate(_whole(out.seek(0, os.SEEK_END), out))
            out.write(lines)
            out.flush()
            os.fsync(out.fileno())
        if is_new:
            _sync_directory(file.parent)
    except OSError as error:
        raise StoreFull("ledger") from error


def read(file: Path) -> list[dict[str, Any]]:
    """What stays erased or revoked by this file, nothing where there is none. Raises `LedgerUnread`."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    try:
        lines = file.read_bytes().split(b"\n")[:-1] if file.exists() else []
        for entry in map(json.loads, filter(None, lines)):
            key = (entry["kind"], entry["db"], entry["id"])
            if entry["kind"] == RETURNED:
                found.pop(("revoked", *key[1:]), None)
            else:
                found[key] = {name: entry[name] for name in ("kind", "db", "id", "at", "by")}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise LedgerUnread(file) from error
    return [*found.values()]


def _whole(size: int, out: IO[bytes]) -> int:
    """How long the file is without a line that was cut off."""
    start = size
    while start:
        start = max(0, start - 4096)
        out.seek(start)
        if (at := out.read(min(4096, size - start)).rfind(b"\n")) >= 0:
            return start + at + 1
    return 0


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
