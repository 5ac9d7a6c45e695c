"""What must be true of an .xlsx before anything parses it: an honest zip of plain XML, of a sane size.

Sizes are counted while the members are really inflated, since a zip's own headers may lie.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO

from server.lists.sheets import Refused

ENTRIES = 2_000
EXPANDED = 120 * 1024 * 1024
MEMBER = 80 * 1024 * 1024
TAGS = 6_000_000
"""In one member: 20,000 rows of 60 cells have 5 million. A tag costs a parser far more than its bytes."""
RATIO = 200
"""Sheets compress well, about 10 to 30 times; bombs a thousand times."""
RATIO_FROM = 4 * 1024 * 1024
"""Below this size any ratio is harmless: an empty styled sheet compresses enormously."""
CHUNK = 256 * 1024

_MARKUP = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
_ENCODING = re.compile(rb"""^\s*<\?xml[^>]*encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")


def check(data: bytes) -> frozenset[str]:
    """The names of the members of a zip that may be opened. Raises `Refused`."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as bundle:
            members = bundle.infolist()
            if len(members) > ENTRIES:
                raise Refused("entries", limit=ENTRIES)
            _check_names(members)
            total = 0
            for member in members:
                total = _check_member(bundle, member, total)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError) as error:
        raise Refused("broken") from error
    return frozenset(member.filename for member in members)


def _check_names(members: list[zipfile.ZipInfo]) -> None:
    if len({member.filename for member in members}) != len(members):
        raise Refused("broken")
    if any(member.flag_bits & 0x1 for member in members):
        raise Refused("encrypted")


def _check_member(bundle: zipfile.ZipFile, member: zipfile.ZipInfo, total: int) -> int:
    size = tags = 0
    markup = _is_xml(member.filename)
    tail = b""
    for chunk in _inflate(bundle, member):
        size += len(chunk)
        total += len(chunk)
        tags += chunk.count(b"<")
        if size > MEMBER or total > EXPANDED or tags > TAGS or _too_dense(size, member.compress_size):
            raise Refused("bomb")
        if markup:
            _check_markup(chunk, tail, first=size == len(chunk))
            tail = chunk[-16:]
    return total


def _inflate(bundle: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    with bundle.open(member) as stream:
        while chunk := stream.read(CHUNK):
            yield chunk


def _too_dense(size: int, compressed: int) -> bool:
    return size > RATIO_FROM and size > RATIO * max(compressed, 1)


def _is_xml(name: str) -> bool:
    return name.lower().endswith((".xml", ".rels", ".vml"))


def _check_markup(chunk: bytes, tail: bytes, *, first: bool) -> None:
    # Spreadsheet programs write UTF-8. Any other encoding is a way to hide a DOCTYPE from this search.
    if b"\0" in chunk:
        raise Refused("broken")
    if first and (found := _ENCODING.match(chunk.removeprefix(b"\xef\xbb\xbf"))):
        name = found[1].lower()
        if name not in (b"utf-8", b"utf8", b"us-ascii", b"ascii"):
            raise Refused("broken")
    if _MARKUP.search(tail + chunk):
        raise Refused("entities")
