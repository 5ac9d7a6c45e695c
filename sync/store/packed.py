"""A revision tree as bytes: 29 for each revision, and no index to keep beside it.

    count (u32) | count × (generation u32, parent u32, body u32, flags u8, digest 16 bytes) | odd digests

Records stand in the order of their revisions, so that a parent comes before its child; `parent` and `body`
are 0 where there is none (parents count from 1). Digests of 32 lower-case hex digits lie packed; of any other
the 16 bytes say where in the last part its text begins and how long it is.
"""

import struct
from collections.abc import Mapping

from sync.rev import Rev
from sync.revtree import Node, Tree

MAX_GENERATION = 2**32 - 1
NO_BODY = 0
"""The key of a body that is not held."""
EMPTY_BODY = 1
"""The key that stands for `{}` without attachments; there is no row for it."""

_COUNT = struct.Struct("<I")
_ONE = _COUNT.pack(1)
_RECORD = struct.Struct("<IIIB16s")
_PLACE = struct.Struct("<QQ")
_DELETED, _HEX = 1, 2
_HEX_DIGITS = frozenset("0123456789abcdef")

_ALIVE, _DEAD = Node(None, deleted=False), Node(None, deleted=True)

Held = Mapping[Rev, int]
"""The keys of those bodies of a tree that are held."""


def pack(tree: Tree, held: Held) -> bytes:
    """Write a tree and the keys of its bodies as bytes; `unpack` reads them."""
    order = sorted(tree) if len(tree) > 1 else list(tree)
    place = {rev: number for number, rev in enumerate(order, 1)}
    parts = [_COUNT.pack(len(order))]
    odd: list[bytes] = []
    odd_length = 0
    for rev in order:
        parent, deleted = tree[rev]
        digest = rev.digest
        flags = _DELETED if deleted else 0
        if len(digest) == 32 and _HEX_DIGITS.issuperset(digest):
            flags |= _HEX
            packed = bytes.fromhex(digest)
        else:
            text = digest.encode()
            packed = _PLACE.pack(odd_length, len(text))
            odd.append(text)
            odd_length += len(text)
        above = 0 if parent is None else place[parent]
        parts.append(_RECORD.pack(rev.generation, above, held.get(rev, NO_BODY), flags, packed))
    return b"".join(parts + odd)


def unpack(blob: bytes) -> tuple[dict[Rev, Node], dict[Rev, int]]:
    """The tree, and the keys of the bodies that are held."""
    if is_single(blob):  # no more than this, and quickly
        generation, _, body, flags, packed = _RECORD.unpack_from(blob, _COUNT.size)
        if flags & _HEX:
            only = Rev(generation, packed.hex())
            return {only: _DEAD if flags & _DELETED else _ALIVE}, {only: body} if body else {}
    (count,) = _COUNT.unpack_from(blob)
    end = _COUNT.size + count * _RECORD.size
    tree: dict[Rev, Node] = {}
    held: dict[Rev, int] = {}
    order: list[Rev | None] = [None]
    for generation, above, body, flags, packed in _RECORD.iter_unpack(blob[_COUNT.size : end]):
        if flags & _HEX:
            rev = Rev(generation, packed.hex())
        else:
            start, length = _PLACE.unpack(packed)
            rev = Rev(generation, blob[end + start : end + start + length].decode())
        order.append(rev)
        tree[rev] = Node(order[above], bool(flags & _DELETED))
        if body:
            held[rev] = body
    return tree, held


def is_single(blob: bytes) -> bool:
    """Whether the tree is of one revision, as most are."""
    return blob.startswith(_ONE)


def body_keys(blob: bytes) -> list[int]:
    """The keys of all bodies that a tree holds rows for, without reading the rest."""
    (count,) = _COUNT.unpack_from(blob)
    records = _RECORD.iter_unpack(blob[_COUNT.size : _COUNT.size + count * _RECORD.size])
    return [body for _, _, body, _, _ in records if body > EMPTY_BODY]
