"""multipart/related and multipart/mixed, as CouchDB writes and reads them. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sync.errors import BadRequest, TooLarge
from sync.store.interface import File
from sync.wire import Draft

MOST_PARTS = 10_000
"""Parts of one body: a few bytes each would cost a hundred times their size."""
_BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,200})"|([^\s;,"]{1,200}))', re.IGNORECASE)
_FILENAME = re.compile(r'filename=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """Headers (their names as they are to be sent, or in lower case where they came in) and bytes."""

    headers: Mapping[str, str]
    body: bytes


def join(parts: Sequence[Part], boundary: str) -> bytes:
    """The parts as one body."""
    fence = b"--" + boundary.encode()
    out: list[bytes] = []
    for part in parts:
        head = "".join(f"{name}: {_one_line(value)}\r\n" for name, value in part.headers.items())
        out += [fence, b"\r\n", head.encode(), b"\r\n", part.body, b"\r\n"]
    return b"".join([*out, fence, b"--"])


def _one_line(value: str) -> str:
    return value.replace("\r", " ").replace("\n", " ")


def quoted(name: str) -> str:
    """A file name as a header's quoted string."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def split(body: bytes, content_type: str) -> list[Part]:
    """The parts of a body. Raises BadRequest where there is no boundary, no end, or no part, and TooLarge."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise BadRequest("multipart without a boundary")
    fence = b"\r\n--" + (found[1] or found[2]).encode()
    if body.count(fence) > MOST_PARTS:
        raise TooLarge
    sections = (b"\r\n" + body).split(fence)
    end = next((place for place, section in enumerate(sections) if place and section[:2] == b"--"), None)
    if end is None or end < 2:
        raise BadRequest("The multipart body is cut.")
    return [_part(section) for section in sections[1:end]]


def _part(section: bytes) -> Part:
    head, gap, body = section.lstrip(b" \t").partition(b"\r\n\r\n")
    if not gap:
        raise BadRequest("A part of the multipart body has no end of headers.")
    headers: dict[str, str] = {}
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if value:
            headers[name.decode("latin-1").strip().lower()] = value.decode("utf-8", "replace").strip()
    return Part(headers, body)


def attach(draft: Draft, parts: Sequence[Part]) -> Draft:
    """Give a draft the bytes that follow it: by file name where the parts say one, else in its order.

    Raises BadRequest where their number or length is another than it said.
    """
    if len(parts) != len(draft.follows):
        raise BadRequest("There are more or fewer parts than attachments that follow.")
    by_name = {name: part for part in parts if (name := _file_name(part)) in draft.follows}
    in_order = len(by_name) != len(parts)
    files = dict(draft.files)
    for (name, told), part in zip(draft.follows.items(), parts, strict=True):
        data = (part if in_order else by_name[name]).body
        if told.length is not None and told.length != len(data):
            raise BadRequest(f"Attachment {name[:80]} is not as long as was said.")
        files[name] = File(told.content_type, data, told.revpos)
    return draft._replace(files=files, follows={})


def _file_name(part: Part) -> str:
    found = _FILENAME.search(part.headers.get("content-disposition", ""))
    if found is None:
        return ""
    return re.sub(r"\\(.)", r"\1", found[1]) if found[1] is not None else found[2]


def accepts(header: str | None, media_type: str) -> bool:
    """Whether an `Accept` header takes a type; without one, or with `*/*`, it does (as in CouchDB)."""
    kinds = [kind.partition(";")[0].strip().lower() for kind in (header or "*/*").split(",")]
    whole = media_type.partition("/")[0] + "/*"
    return not {media_type, whole, "*/*"}.isdisjoint(kinds)
