"""Backups: one file with everything, made while the server runs; and what a restore must change.

Documents are copied before the rows, so that the copy's archive holds every body that its store does. A
restore brings back what was, but for three things. Nobody gets in by what the backup knows: sessions and
invitations are void, phones only hand in until an admin confirms each. What was erased or revoked stays so:
the ledger is kept beside the data, beside the backups and in the rows that are replaced, and all are added;
what of that cannot be read is said, never passed over. And the store
begins another life (its `epoch`), so that phones are told that their position is lost and give back what
the backup lacks.
"""

import json
import os
import re
import secrets
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlmodel import SQLModel

from server import audit, ledger, outlasting, vessel
from server.clock import instant
from server.erasing import forget_ledgered
from server.keys import SECRET_FILE
from server.rows import tables
from server.rows.engine import open_rows, readers, table

DOCUMENTS, ROWS, PICTURES = "documents.sqlite", "rows.sqlite", "media"
SUFFIX = ".backup"
_TIME = "%Y%m%d-%H%M%S"
_NAMED = re.compile(rf"camket-([0-9]{{8}}-[0-9]{{6}})(?:_([0-9]{{3,9}}))?{re.escape(SUFFIX)}")
_FRESH = ".restore-"
_PARTS = frozenset({DOCUMENTS, ROWS, PICTURES, SECRET_FILE})

_devices, _sessions = table(tables.Device), table(tables.OfficeSession)
_invitations, _cursor, _meta = table(tables.Invitation), table(tables.Cursor), table(tables.Meta)


class InUse(Exception):
    """A server works on the data that are to be replaced."""


class NoBackup(Exception):
    """There is no backup there, or the file is none of ours, or it is damaged."""


def make(data: Path, url: str | None, into: Path, passphrase: str | None, now: datetime) -> Path:
    """Back everything up into a new file of the directory `into`; answers its path.

    Raises `NoBackup` where there is nothing to back up.
    """
    if not (data / DOCUMENTS).exists():
        raise NoBackup
    into.mkdir(parents=True, exist_ok=True)
    made = into / _name(into, now)
    with tempfile.TemporaryDirectory(prefix=".camket-", dir=into) as name:
        copy = Path(name)
        _copy_database(data / DOCUMENTS, copy / DOCUMENTS)
        _copy_rows(data, url, copy)
        with tempfile.TemporaryFile(dir=into) as packed:
            _pack(packed, copy, data)
            packed.seek(0)
            part = copy / "part"
            with part.open("xb") as out:
                if passphrase:
                    vessel.seal(packed, out, passphrase)
                else:
                    shutil.copyfileobj(packed, out)
                out.flush()
                os.fsync(out.fileno())
            part.rename(made)
        _keep_ledger(copy, into)
    return made


def is_named_by(made: Path, now: datetime) -> bool:
    """Whether a backup bears the time at which it was made; else the clock was ahead once, or is behind."""
    return _told(made)[0] == now.strftime(_TIME)


def _name(into: Path, now: datetime) -> str:
    """Behind those that are there already: the newest is known by its name, whatever a clock said."""
    time, number = max(map(_told, into.glob(f"camket-*{SUFFIX}")), default=("", 0))
    if time < now.strftime(_TIME):
        return f"camket-{now.strftime(_TIME)}{SUFFIX}"
    return f"camket-{time}_{number + 1:03}{SUFFIX}"


def _told(file: Path) -> tuple[str, int]:
    """When a backup was made, and as which of that time, as far as its name tells; before all others where
    somebody else has named it."""
    found = _NAMED.fullmatch(file.name)
    return (found[1], int(found[2] or 1)) if found else ("", 0)


def restore(  # noqa: PLR0917
    source: Path,
    data: Path,
    url: str | None,
    passphrase: str | None,
    now: datetime,
    by: str = audit.CONSOLE,
    *,
    without_ledger: bool = False,
) -> None:
    """Put a backup (a file, or the newest of a directory) in place of what is in `data`.

    What was there is set aside in `data/before-<time>`. Cut off anywhere, it is run again: what was erased or
    revoked is on the disk before anything is moved. `without_ledger`: go on where that cannot be read. Raises
    `NoBackup`, `vessel.NotOpened`, `InUse`, `outlasting.LedgerUnread`; nothing was changed then.
    """
    packed = newest(source)
    data.mkdir(parents=True, exist_ok=True)
    _check_unused(data / DOCUMENTS)
    for left in data.glob(f"{_FRESH}*"):  # by one that was cut off
        shutil.rmtree(left, ignore_errors=True)
    known = _known_ledger(data, url, packed.parent, skip=without_ledger)
    with tempfile.TemporaryDirectory(prefix=_FRESH, dir=data) as name:
        fresh = Path(name)
        _unpack(packed, fresh, passphrase)
        for part in (DOCUMENTS, ROWS):
            if not (fresh / part).exists() or problems_of(fresh / part):
                raise NoBackup
        rows = open_rows(fresh)
        try:
            with rows.begin() as connection:
                begin_anew(connection, known, by, now)
            _keep_known(data, known, skip=without_ledger)
            if url:
                _pour_into(rows, data, url)
        finally:
            rows.dispose()
        _replace(data, fresh, now)


def _replace(data: Path, fresh: Path, now: datetime) -> None:
    """Set aside what is there, and move what is fresh to its place."""
    aside = _unused(data / f"before-{now.strftime(_TIME)}")
    for part in sorted(_PARTS | {f"{name}-{end}" for name in (DOCUMENTS, ROWS) for end in ("wal", "shm")}):
        if (data / part).exists():
            aside.mkdir(mode=0o700, exist_ok=True)
            (data / part).rename(aside / part)
    for part in sorted(_PARTS):
        if (fresh / part).exists():
            (fresh / part).rename(data / part)


def _unused(name: Path) -> Path:
    """This name, or one after it that nothing has: a restore that was cut off left something there."""
    number, found = 1, name
    while found.exists():
        number += 1
        found = name.with_name(f"{name.name}-{number}")
    return found


def begin_by_hand(data: Path, url: str | None, now: datetime, by: str = audit.CONSOLE) -> None:
    """What a restore does beside the files, for files that were put back by hand: nothing here can tell that
    they were, and whoever says it for a phone must not be believed. Raises `NoBackup`, `InUse`,
    `outlasting.LedgerUnread`."""
    if not (data / DOCUMENTS).exists():
        raise NoBackup
    _check_unused(data / DOCUMENTS)
    known = outlasting.read(data / outlasting.NAME)
    rows = open_rows(data, url)
    try:
        with rows.begin() as connection:
            begin_anew(connection, known, by, now)
    finally:
        rows.dispose()


def begin_anew(connection: Connection, known: Iterable[Mapping[str, Any]], by: str, now: datetime) -> None:
    """What a restore changes in the rows; `known` are ledgers that are not rolled back."""
    ledger.add(connection, list(known))
    forget_ledgered(connection)
    connection.execute(delete(_sessions))
    connection.execute(
        update(_invitations).where(_invitations.c.spent_at.is_(None)).values(spent_at=instant(now))
    )
    connection.execute(
        update(_devices).where(_devices.c.revoked_at.is_(None)).values(send_only_at=instant(now))
    )
    connection.execute(delete(_cursor))  # the follower reads everything again, and buries what was erased
    connection.execute(delete(_meta).where(_meta.c.key == "epoch"))
    connection.execute(insert(_meta).values(key="epoch", value=secrets.token_hex(3)))
    audit.append(connection, by, "backup.restored", instant(now), now)


def newest(source: Path) -> Path:
    """The backup itself, or the newest of a directory. Raises `NoBackup`."""
    named = sorted(source.glob(f"camket-*{SUFFIX}")) if source.is_dir() else [source]
    found = sorted((file for file in named if file.is_file()), key=_told)
    if not found:
        raise NoBackup
    return found[-1]


def problems_of(file: Path) -> list[str]:
    """What SQLite itself finds wrong with a file."""
    try:
        with closing(sqlite3.connect(file)) as connection:
            return [text for (text,) in connection.execute("PRAGMA integrity_check") if text != "ok"]
    except sqlite3.DatabaseError as error:
        return [str(error)]


# ---- copying --------------------------------------------------------------------------------------------


def _copy_database(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)
        other.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it


def _copy_rows(data: Path, url: str | None, copy: Path) -> None:
    if not url:
        _copy_database(data / ROWS, copy / ROWS)
        return
    source, target = open_rows(data, url), open_rows(copy)
    try:
        _pour(source, target)
    finally:
        source.dispose()
        target.dispose()


def _pour(source: Engine, target: Engine) -> None:
    """Every row of every table, as of one moment, in place of what the target has."""
    ordered = SQLModel.metadata.sorted_tables
    isolated = (
        source.execution_options(isolation_level="REPEATABLE READ") if source.name == "postgresql" else source
    )
    with readers(isolated).begin() as one, target.begin() as other:
        for emptied in reversed(ordered):
            other.execute(delete(emptied))
        for filled in ordered:
            for rows in one.execute(select(filled)).mappings().partitions(1000):
                other.execute(insert(filled), [dict(row) for row in rows])


def _pour_into(source: Engine, data: Path, url: str) -> None:
    target = open_rows(data, url)
    try:
        _pour(source, target)
    finally:
        target.dispose()


def _pack(into: Any, copy: Path, data: Path) -> None:
    with tarfile.open(fileobj=into, mode="w") as tar:
        for part in (DOCUMENTS, ROWS):
            tar.add(copy / part, part)
        for part in (SECRET_FILE, PICTURES):
            if (data / part).exists():
                tar.add(data / part, part)


def _unpack(file: Path, into: Path, passphrase: str | None) -> None:
    with file.open("rb") as packed, tempfile.TemporaryFile(dir=into) as plain:
        if vessel.is_sealed(packed):
            vessel.unseal(packed, plain, passphrase or "")
        else:
            shutil.copyfileobj(packed, plain)
        plain.seek(0)
        try:
            with tarfile.open(fileobj=plain, mode="r:") as tar:
                wanted = [one for one in tar.getmembers() if one.name.split("/")[0] in _PARTS]
                tar.extractall(into, wanted, filter="data")
        except tarfile.TarError as error:
            raise NoBackup from error


def _check_unused(documents: Path) -> None:
    """Raises `InUse` where another process has the store open: it holds a lock that this would need."""
    if not documents.exists():
        return
    with closing(sqlite3.connect(documents, timeout=0.5)) as connection:
        try:
            connection.execute("PRAGMA journal_mode=DELETE").fetchall()
        except sqlite3.OperationalError as error:
            raise InUse from error
        except sqlite3.DatabaseError:
            return  # damaged: a reason to restore


# ---- the ledger -----------------------------------------------------------------------------------------


def _keep_ledger(copy: Path, into: Path) -> None:
    """Add this backup's ledger to the one beside the backups: restoring an older one applies it, too."""
    rows = open_rows(copy)
    try:
        with readers(rows).begin() as connection:
            said = [*outlasting.read(into / outlasting.NAME), *ledger.entries(connection)]
            known = {_key(row): row for row in said}
    finally:
        rows.dispose()
    part = into / f".{outlasting.NAME}.part"
    part.write_text("".join(f"{json.dumps(known[key])}\n" for key in sorted(known)), "utf-8")
    part.rename(into / outlasting.NAME)


def _key(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return row["kind"], row["db"], row["id"]


def _known_ledger(data: Path, url: str | None, backups: Path, *, skip: bool) -> list[dict[str, Any]]:
    """What is not rolled back: the ledgers beside the data and beside the backups, and those in the rows, of
    what a restore has set aside, too. Rows that cannot be read say nothing that the file beside them leaves
    out.

    Raises `LedgerUnread` for the first that cannot be read and was needed, unless `skip`.
    """
    beside = data / outlasting.NAME
    files = [beside, backups / outlasting.NAME]
    sources = [partial(outlasting.read, file) for file in files]
    there = [data / ROWS, *sorted(data.glob(f"before-*/{ROWS}"))]
    sources += [partial(_ledger_in, file) for file in there if not url and file.exists()]
    sources += [partial(_ledger_at, data, url)] if url else []
    found: list[dict[str, Any]] = []
    for source in sources:
        try:
            found += source()
        except outlasting.LedgerUnread as error:
            if not skip and (error.file in files or not beside.exists()):
                raise
    return found


def _ledger_in(rows: Path) -> list[dict[str, Any]]:
    """The ledger in a file of rows, which is left as it is."""
    if problems_of(rows):
        raise outlasting.LedgerUnread(rows)
    try:
        with closing(sqlite3.connect(rows)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute("SELECT kind, db, id, at, by FROM ledger")]
    except sqlite3.DatabaseError as error:
        raise outlasting.LedgerUnread(rows) from error


def _ledger_at(data: Path, url: str) -> list[dict[str, Any]]:
    rows = open_rows(data, url)
    try:
        with readers(rows).begin() as connection:
            return ledger.entries(connection)
    finally:
        rows.dispose()


def _keep_known(data: Path, known: Iterable[Mapping[str, Any]], *, skip: bool) -> None:
    """Have it all beside the data before anything is moved; one that cannot be read is set aside."""
    file = data / outlasting.NAME
    try:
        kept = {_key(row) for row in outlasting.read(file)}
    except outlasting.LedgerUnread:
        if not skip:
            raise
        file.rename(_unused(data / f"{outlasting.NAME}.unread"))
        kept = set()
    new = {_key(row): row for row in known if _key(row) not in kept and row["kind"] != ledger.LATE}
    outlasting.add(file, new.values())
