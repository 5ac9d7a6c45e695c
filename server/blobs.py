"""The bytes of photographs, as files: what is still coming in, and what is whole.

    DIR/<hamlet>/<sha256>                     a picture, whole and checked
    DIR/<hamlet>/<sha256>.thumb               its thumbnail, there before it
    DIR/<hamlet>/incoming/<sha256>.<sender>   what came of it so far: its length is where the sender goes on

Each sender has a file of its own, so that nobody can spoil what another one is sending. All of it may be
called from threads, and from several processes over one directory.
"""

import errno
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from server import pictures
from sync.store.interface import StoreFull

UNFINISHED = 50
"""Pictures that one sender may have begun in a hamlet; the oldest make way."""


class PhotoUnknown(Exception):
    """No document of this name is here (yet), or its bytes are not."""


class HamletNotHeld(Exception):
    """A picture of a hamlet that the caller does not walk."""


class PhotoTooLarge(Exception):
    """More bytes than a picture may have. `limit` in kB."""

    def __init__(self) -> None:
        super().__init__()
        self.limit = pictures.MOST_BYTES // 1000


class OffsetAhead(Exception):
    """A chunk that begins behind what is held. `held`: from where to go on."""

    def __init__(self, held: int) -> None:
        super().__init__(held)
        self.held = held


class WrongDigest(Exception):
    """All bytes are there, and they are not those of the name: what came is thrown away."""


class Name(NamedTuple):
    """A picture of a hamlet; both parts are safe as names of files (`server.media` reads them)."""

    hamlet: str
    sha256: str


def pictures_of(db: str, ids: Iterable[str]) -> list[Name]:
    """The pictures that documents of a database are about; none where it is no media database."""
    kind, _, hamlet = db.partition("-")
    return [Name(hamlet, doc_id.removeprefix("photo:")) for doc_id in ids] if kind == "media" else []


class Blobs:
    """The pictures under one directory, which need not exist yet."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._adding, self._checking = Lock(), Lock()

    def held(self, name: Name, sender: str) -> int | None:
        """Bytes that came from this sender so far; None where the picture is whole."""
        return None if self._whole(name).exists() else _size(self._incoming(name, sender))

    def all_came(self, name: Name, sender: str) -> bool:
        """Whether this sender has brought all bytes, and the server died before they were a picture."""
        data = _read(self._incoming(name, sender))
        return data is not None and sha256(data).hexdigest() == name.sha256

    def size(self, name: Name) -> int:
        """Bytes of a whole picture."""
        return _size(self._whole(name))

    def append(self, name: Name, sender: str, start: int, chunk: bytes) -> int:
        """Add a chunk that begins at `start`; what of it is held already is passed over. Bytes held then.

        Raises `OffsetAhead`, `StoreFull`.
        """
        path = self._incoming(name, sender)
        try:
            if not path.exists():
                self._make_room(path, sender)
            with self._adding, path.open("ab") as file:
                held = file.tell()
                if start > held:
                    raise OffsetAhead(held)
                file.write(chunk[held - start :])
                return file.tell()
        except OSError as error:
            raise _full(error) from error

    def finish(self, name: Name, sender: str) -> None:
        """Check what came, and keep it for good: on disk when this returns.

        What does not pass is thrown away. Raises `WrongDigest`, `PictureRefused`, `StoreFull`.
        """
        incoming, whole = self._incoming(name, sender), self._whole(name)
        try:
            with self._checking:  # one picture is unpacked at a time
                data = incoming.read_bytes()
                if sha256(data).hexdigest() != name.sha256:
                    raise WrongDigest
                thumb = pictures.thumbnail(data)
            _write(whole.with_suffix(".thumb"), thumb)
            _write(whole, data)
        except OSError as error:
            if whole.exists():
                return  # the same picture twice at once: the other request was first
            raise _full(error) from error
        except (WrongDigest, pictures.PictureRefused):
            incoming.unlink(missing_ok=True)
            raise
        for begun in incoming.parent.glob(f"{name.sha256}.*"):
            begun.unlink(missing_ok=True)

    def copy(self, names: Iterable[Name], hamlet: str) -> None:
        """Have pictures that are whole in another hamlet as well: on disk when this returns."""
        for name in names:
            for old, new in self._both(name, Name(hamlet, name.sha256)):
                if old.exists() and not new.exists():
                    new.parent.mkdir(parents=True, exist_ok=True)
                    try:
                        _write(new, old.read_bytes())
                    except OSError as error:
                        raise _full(error) from error

    def remove(self, names: Iterable[Name]) -> None:
        """Have pictures no more in their hamlets, nor thumbnails, nor what came of them from anybody."""
        for name in names:
            whole = self._whole(name)
            begun = self._incoming(name, "").parent.glob(f"{name.sha256}.*")
            for path in (whole, whole.with_suffix(".thumb"), *begun):
                path.unlink(missing_ok=True)

    def _both(self, one: Name, other: Name) -> Iterator[tuple[Path, Path]]:
        """The files of two pictures, the thumbnail before the picture that it must be there for."""
        old, new = self._whole(one), self._whole(other)
        yield old.with_suffix(".thumb"), new.with_suffix(".thumb")
        yield old, new

    def whole(self, name: Name) -> bytes | None:
        """A picture's bytes; None while they are not all there."""
        return _read(self._whole(name))

    def thumb(self, name: Name) -> bytes | None:
        """The thumbnail, WebP; None while the picture is not all there."""
        return _read(self._whole(name).with_suffix(".thumb")) if self.has(name) else None

    def has(self, name: Name) -> bool:
        """Whether the picture counts as received."""
        return self._whole(name).exists()

    def kept(self, hamlet: str) -> Iterator[Name]:
        """Every picture of a hamlet that counts as received."""
        for path in sorted((self._directory / hamlet).glob("[0-9a-f]*")):
            if path.is_file() and not path.suffix:
                yield Name(hamlet, path.name)

    def _whole(self, name: Name) -> Path:
        return self._directory / name.hamlet / name.sha256

    def _incoming(self, name: Name, sender: str) -> Path:
        return self._directory / name.hamlet / "incoming" / f"{name.sha256}.{sender}"

    def _make_room(self, path: Path, sender: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        begun = sorted(path.parent.glob(f"*.{sender}"), key=lambda one: one.stat().st_mtime)
        for old in begun[: max(0, len(begun) + 1 - UNFINISHED)]:
            old.unlink(missing_ok=True)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _write(path: Path, data: bytes) -> None:
    """The whole file or nothing, and on the disk."""
    new = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    try:
        with new.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise
    with suppress(PermissionError):  # Windows opens no directories, and needs none of this
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def _full(error: OSError) -> Exception:
    return StoreFull() if error.errno in {errno.ENOSPC, errno.EDQUOT} else error
