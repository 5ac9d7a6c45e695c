"""The revision that an interactive write gets. Pure."""

import hashlib

from sync.rev import Rev
from sync.store.interface import Files, Stub


def mint(parent: Rev | None, deleted: bool, body: bytes, files: Files) -> Rev:
    """The revision of an interactive write: the same content after the same parent is the same revision."""
    digest = hashlib.md5(b"%d%s\0" % (deleted, str(parent or "").encode()), usedforsecurity=False)
    digest.update(body)
    for name in sorted(files):
        file = files[name]
        content = (file.digest or "") if isinstance(file, Stub) else hashlib.sha256(file.data).hexdigest()
        digest.update(f"\0{name}\0{content}".encode())
    return Rev(1 if parent is None else parent.generation + 1, digest.hexdigest())
