"""Attachments on disk: bytes once by their SHA-256, held by the bodies that name them, gone with the last."""

import base64
import hashlib
import sqlite3
from collections.abc import Iterable, Mapping

import orjson

from sync.store.interface import Attachment, AttachmentMissing, File, Files, Stub
from sync.store.packed import EMPTY_BODY
from sync.store.rows import select_in

FileRow = tuple[str, str, int, int, int]
"""Content type, digest, length, revpos, key of the blob."""


def read_files(text: str | None) -> dict[str, Attachment]:
    """The `files` column of a body."""
    return {} if text is None else {name: Attachment(*row) for name, row in orjson.loads(text).items()}


def read_bytes(conn: sqlite3.Connection, key: int, start: int, end: int | None) -> bytes | None:
    """The bytes from `start` up to (not with) `end`; None where there is no such blob."""
    try:
        with conn.blobopen("blob", "bytes", key, readonly=True) as blob:
            return bytes(blob[start:end])
    except sqlite3.OperationalError:
        return None


def digest_of(data: bytes) -> str:
    """The digest that a stub carries, as CouchDB writes it."""
    return "md5-" + base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


def hold_files(
    conn: sqlite3.Connection,
    held: Iterable[int],
    generation: int,
    files: Files,
    waiting: Mapping[int, Mapping[str, FileRow]],
) -> dict[str, FileRow]:
    """Store the bytes that came, and find those that the stubs mean among the document's other bodies.

    Raises AttachmentMissing.
    """
    known: dict[str, list[FileRow]] | None = None
    rows: dict[str, FileRow] = {}
    for name, file in files.items():
        if isinstance(file, File):
            revpos = generation if file.revpos is None else file.revpos
            blob = _store(conn, file.data)
            rows[name] = (file.content_type, digest_of(file.data), len(file.data), revpos, blob)
        else:
            if known is None:
                known = _known(conn, held, waiting)
            rows[name] = _meant(name, file, known.get(name, []))
    return rows


def _meant(name: str, stub: Stub, candidates: list[FileRow]) -> FileRow:
    """The attachment that a stub stands for: of the same digest where it says one, else the nearest.

    A digest that differs is no reason to refuse: CouchDB digests text over its compressed bytes.
    """
    if not candidates:
        raise AttachmentMissing(name)
    same = [row for row in candidates if row[1] == stub.digest]
    row = (same or candidates)[0]
    return row if stub.revpos is None else (row[0], row[1], row[2], stub.revpos, row[4])


def _known(
    conn: sqlite3.Connection,
    held: Iterable[int],
    waiting: Mapping[int, Mapping[str, FileRow]],
) -> dict[str, list[FileRow]]:
    """The attachments of these bodies by name, the newest body first."""
    keys = sorted({key for key in held if key > EMPTY_BODY}, reverse=True)
    stored = {
        key: orjson.loads(text)
        for key, text in select_in(
            conn, "SELECT key, files FROM body WHERE files IS NOT NULL AND key IN", (), keys
        )
    }
    known: dict[str, list[FileRow]] = {}
    for key in keys:
        for name, row in (waiting.get(key) or stored.get(key) or {}).items():
            known.setdefault(name, []).append(tuple(row))
    return known


def _store(conn: sqlite3.Connection, data: bytes) -> int:
    sha = hashlib.sha256(data).digest()
    found = conn.execute("SELECT key FROM blob WHERE sha256 = ?", (sha,)).fetchone()
    if found is None:
        found = conn.execute(
            "INSERT INTO blob (sha256, bytes) VALUES (?, ?) RETURNING key", (sha, data)
        ).fetchone()
    key: int = found[0]
    return key


def copy_holds(conn: sqlite3.Connection, files: Mapping[int, Mapping[str, FileRow]]) -> None:
    """Note which bodies hold which blobs."""
    conn.executemany(
        "INSERT OR IGNORE INTO hold (body, blob) VALUES (?, ?)",
        [(body, row[4]) for body, rows in files.items() for row in rows.values()],
    )
