"""`_bulk_get`: a row for every revision that is asked, errors as rows; JSON, or multipart when asked for."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson
from starlette.responses import Response

from sync import choice, multipart, wire
from sync.errors import BadRequest, PeerError, TooManyReads
from sync.hooks import Action
from sync.http import bodies
from sync.http.answers import PIECE, whole_or_long
from sync.http.reading import Wanted, file_parts, render_revision
from sync.http.routing import Call, Route
from sync.rev import Rev
from sync.revtree import Tree
from sync.store.interface import Current, Document


class Asked(NamedTuple):
    """One revision (None: every leaf), and what the peer has already of its attachments."""

    doc_id: str
    rev: Rev | None
    since: Sequence[Rev] | None


class Wrong(NamedTuple):
    """Something that cannot be given, and why."""

    doc_id: object
    rev: object
    error: str
    reason: str


@dataclass(slots=True)
class Gathered:
    """What was asked, which revisions that means, and the documents that hold them."""

    call: Call
    wanted: Wanted
    asked: Sequence[Asked | Wrong]
    of_id: dict[str, list[Rev | None]] = field(default_factory=dict)
    meant: dict[tuple[str, Rev | None], Sequence[Rev]] = field(default_factory=dict)
    found: Mapping[str, Document] = field(default_factory=dict)

    async def read(self) -> None:
        """Fetch all of it in one go."""
        for one in self.asked:
            if isinstance(one, Asked) and self.call.shows(one.doc_id):
                self.of_id.setdefault(one.doc_id, []).append(one.rev)
        self.found = await self.call.store.read(self.call.db, self.of_id, self._choose)

    def _choose(self, doc_id: str, tree: Tree) -> Sequence[Rev]:
        asked = dict.fromkeys(self.of_id[doc_id])
        ends = choice.Ends(tree) if self.wanted.latest and len(asked) > 1 else None
        revs: dict[Rev, None] = {}
        for rev in asked:
            if rev is not None and ends is not None:
                meant: Sequence[Rev] = ends.of(rev)
            else:
                meant = self.wanted.of_many(tree, None if rev is None else [rev])
            self.meant[doc_id, rev] = meant
            revs.update(dict.fromkeys(meant))
        return list(revs)

    def given(self, one: Asked | Wrong) -> Sequence[Rev | Wrong]:
        """The revisions that answer one question; what cannot be given stands as what is wrong."""
        if isinstance(one, Wrong):
            return [one]
        document = self.found.get(one.doc_id)
        revs = self.meant.get((one.doc_id, one.rev))
        if document is None or not revs:
            rev = "undefined" if one.rev is None else str(one.rev)
            return [Wrong(one.doc_id, rev, "not_found", "missing")]
        held = document.bodies
        return [rev if rev in held else Wrong(one.doc_id, str(rev), "not_found", "missing") for rev in revs]

    def options(self, one: Asked) -> Wanted:
        """What is wanted of it."""
        return self.wanted if one.since is None else self.wanted.since(one.since)


async def _current(call: Call, items: Sequence[Any]) -> Mapping[str, Current]:
    """The winners of the documents that are named and may be seen: what nearly all peers ask for."""
    named = [item.get("id") for item in items if isinstance(item, dict)]
    ids = {doc_id for doc_id in named if isinstance(doc_id, str) and call.shows(doc_id)}
    return await call.store.current(call.db, ids)


def _if_current(item: Any, current: Mapping[str, Current]) -> Current | None:
    """The winner, where just that is asked for; with `latest` or without, nothing is newer."""
    if not isinstance(item, dict) or "atts_since" in item:
        return None
    doc_id = item.get("id")
    here = current.get(doc_id) if isinstance(doc_id, str) else None
    return here if here is not None and here.rev == item.get("rev") else None


async def bulk_get(call: Call) -> Response:
    """Read revisions. Raises BadRequest, TooManyReads."""
    body = await bodies.read_posted(call.request, call.parts.limits.request)
    docs = wire.parse_object(body).get("docs")
    if not isinstance(docs, list):
        raise BadRequest("Missing JSON list of 'docs'.")
    if len(docs) > wire.MOST_DOCUMENTS:
        raise TooManyReads(str(wire.MOST_DOCUMENTS))
    wanted = Wanted.of(call.query)
    header = call.request.headers.get("accept", "")
    as_multipart = "multipart/" in header and "application/json" not in header
    current = await _current(call, docs) if wanted.is_plain and not as_multipart else {}
    lines = [_if_current(item, current) or _parse(item) for item in docs]
    gathered = Gathered(call, wanted, [one for one in lines if not isinstance(one, Current)])
    if gathered.asked or not current:
        await gathered.read()
    if as_multipart:
        return await _as_multipart(call, gathered)
    return await whole_or_long(call.request, _pieces(call, gathered, lines))


async def _pieces(
    call: Call, gathered: Gathered, lines: Sequence[Current | Asked | Wrong]
) -> AsyncIterator[bytes]:
    """The answer in pieces: a document may be asked for as often as a peer likes."""
    rows, size, fence = [b'{"results":['], 0, b""
    for one in lines:
        row = _winner(one, gathered.wanted) if isinstance(one, Current) else await _row(call, gathered, one)
        rows += [fence, row]
        size, fence = size + len(row), b","
        if size > PIECE:
            yield b"".join(rows)
            rows, size = [], 0
    yield b"".join([*rows, b"]}\n"])


def _parse(item: Any) -> Asked | Wrong:
    """What is asked for, or what is wrong with it."""
    fields = item if isinstance(item, dict) else {}
    doc_id, rev, since = fields.get("id"), fields.get("rev"), fields.get("atts_since")
    try:
        known = [wire.parse_rev(text) for text in since] if isinstance(since, list) else None
        return Asked(wire.check_doc_id(doc_id), None if rev is None else wire.parse_rev(rev), known)
    except PeerError as error:
        return Wrong(doc_id, rev, error.error, error.reason)


def _error(wrong: Wrong) -> bytes:
    return wire.to_json({"id": wrong.doc_id, "rev": wrong.rev, "error": wrong.error, "reason": wrong.reason})


def _winner(one: Current, wanted: Wanted) -> bytes:
    ok = wire.render_current(one, revs=wanted.revs)
    return b'{"id":%b,"docs":[{"ok":%b}]}' % (orjson.dumps(one.id), ok)


async def _row(call: Call, gathered: Gathered, one: Asked | Wrong) -> bytes:
    docs = [
        b'{"error":%b}' % _error(rev)
        if isinstance(rev, Wrong)
        else b'{"ok":%b}' % await _render(call, gathered, one, rev)
        for rev in gathered.given(one)
    ]
    return b'{"id":%b,"docs":[%b]}' % (wire.to_json(one.doc_id), b",".join(docs))


async def _render(call: Call, gathered: Gathered, one: Asked | Wrong, rev: Rev) -> bytes:
    assert isinstance(one, Asked)
    document = gathered.found[one.doc_id]
    return await render_revision(call.store, one.doc_id, document, rev, gathered.options(one))


async def _as_multipart(call: Call, gathered: Gathered) -> Response:
    """Each revision a part of its own, those with attachments a multipart/related within."""
    parts = [
        multipart.Part({"Content-Type": 'application/json; error="true"'}, _error(rev))
        if isinstance(rev, Wrong)
        else await _part(call, gathered, one, rev)
        for one in gathered.asked
        for rev in gathered.given(one)
    ]
    boundary = call.parts.uuid()
    return Response(multipart.join(parts, boundary), media_type=f'multipart/mixed; boundary="{boundary}"')


async def _part(call: Call, gathered: Gathered, one: Asked | Wrong, rev: Rev) -> multipart.Part:
    assert isinstance(one, Asked)
    document = gathered.found[one.doc_id]
    names = {"X-Doc-Id": orjson.dumps(one.doc_id).decode(), "X-Rev-Id": orjson.dumps(str(rev)).decode()}
    if not document.bodies[rev].attachments:
        body = await _render(call, gathered, one, rev)
        return multipart.Part({**names, "Content-Type": "application/json"}, body)
    boundary = call.parts.uuid()
    parts = await file_parts(call.store, one.doc_id, document, rev, gathered.options(one))
    kind = f'multipart/related; boundary="{boundary}"'
    return multipart.Part({**names, "Content-Type": kind}, multipart.join(parts, boundary))


ROUTES = [Route("POST", "/{db}/_bulk_get", Action.READ, bulk_get)]
