"""One document: read it, write it, delete it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from urllib.parse import unquote

import orjson
from starlette.responses import Response

from sync import choice, multipart, revtree, wire
from sync.errors import BadRequest, DocumentConflict, Forbidden, NotFound, TooLarge
from sync.hooks import Action, Refused
from sync.http import accept, bodies, local, query
from sync.http.answers import answer, compressed, etag, render
from sync.http.reading import Wanted, extras, file_parts, render_revision
from sync.http.routing import Call, Route
from sync.rev import Rev
from sync.revtree import Tree
from sync.store.interface import Conflict, Document
from sync.wire import Draft


async def get(call: Call) -> Response:
    """The winner, or the revision that is asked for; `open_revs` is another form of answer."""
    if "open_revs" in call.query:
        return await open_revs(call)
    wanted = Wanted.of(call.query)
    asked = wire.parse_rev(call.query["rev"]) if "rev" in call.query else None
    document = await read(call, lambda tree: wanted.of_one(tree, asked))
    rev = _meant(document.tree, asked, newest=wanted.latest)
    if rev not in document.bodies:
        raise NotFound("missing")
    may_change = extras(document, rev, replace(wanted, revs=False))  # while the revision stays
    headers = {} if may_change else etag(str(rev))
    if headers and asked is None and call.request.headers.get("if-none-match") == headers["ETag"]:
        return Response(None, 304, headers)
    with_files = wanted.files and document.bodies[rev].attachments
    if with_files and multipart.accepts(call.request.headers.get("accept"), "multipart/related"):
        return await _related(call, document, rev, wanted, headers)
    body = await render_revision(call.store, call.doc_id, document, rev, wanted)
    return compressed(call.request, answer(body + b"\n", headers=headers))


def _meant(tree: Tree, asked: Rev | None, *, newest: bool) -> Rev:
    """Raises NotFound, whose reason says whether the document was deleted."""
    if asked is not None:
        return choice.latest(tree, [asked])[0] if newest else asked
    winner = revtree.winner(tree)
    if tree[winner].deleted:
        raise NotFound("deleted")
    return winner


async def read(call: Call, choose: Callable[[Tree], Sequence[Rev]]) -> Document:
    """The document that the address names. Raises NotFound where it is not there, or not for this caller."""
    if not call.shows(call.doc_id):
        raise NotFound("missing")
    found = await call.store.read(call.db, [call.doc_id], lambda _, tree: choose(tree))
    if call.doc_id not in found:
        raise NotFound("missing")
    return found[call.doc_id]


async def open_revs(call: Call) -> Response:
    """Several revisions at once, each with its own row, as JSON or as the parts of multipart/mixed."""
    wanted = Wanted.of(call.query)
    asked = None if call.query["open_revs"] == "all" else query.revs(call.query, "open_revs") or []
    shown = [call.doc_id] if call.shows(call.doc_id) else []
    revs = wanted.of_many({}, asked or [])

    def choose(_: str, tree: Tree) -> Sequence[Rev]:
        nonlocal revs
        revs = wanted.of_many(tree, asked)
        return revs

    found = await call.store.read(call.db, shown, choose)
    document = found.get(call.doc_id, Document({}, {}))
    if asked is None and not document.tree:
        raise NotFound("missing")
    if not multipart.accepts(call.request.headers.get("accept"), "multipart/mixed"):
        rows = [await _open_row(call, document, rev, wanted) for rev in revs]
        return compressed(call.request, answer(b"[" + b",".join(rows) + b"]\n"))
    boundary = call.parts.uuid()
    parts = [await _open_part(call, document, rev, wanted) for rev in revs]
    return Response(multipart.join(parts, boundary), media_type=f'multipart/mixed; boundary="{boundary}"')


async def _open_row(call: Call, document: Document, rev: Rev, wanted: Wanted) -> bytes:
    if rev not in document.bodies:
        return b'{"missing":%b}' % orjson.dumps(str(rev))
    return b'{"ok":%b}' % await render_revision(call.store, call.doc_id, document, rev, wanted)


async def _open_part(call: Call, document: Document, rev: Rev, wanted: Wanted) -> multipart.Part:
    if rev not in document.bodies:
        body = b'{"missing":%b}' % orjson.dumps(str(rev))
        return multipart.Part({"Content-Type": 'application/json; error="true"'}, body)
    if not (wanted.files and document.bodies[rev].attachments):
        body = await render_revision(call.store, call.doc_id, document, rev, wanted)
        return multipart.Part({"Content-Type": "application/json"}, body)
    boundary = call.parts.uuid()
    parts = await file_parts(call.store, call.doc_id, document, rev, wanted)
    kind = f'multipart/related; boundary="{boundary}"'
    return multipart.Part({"Content-Type": kind}, multipart.join(parts, boundary))


async def _related(
    call: Call, document: Document, rev: Rev, wanted: Wanted, headers: Mapping[str, str]
) -> Response:
    boundary = call.parts.uuid()
    parts = await file_parts(call.store, call.doc_id, document, rev, wanted)
    kind = f'multipart/related; boundary="{boundary}"'
    return Response(multipart.join(parts, boundary), media_type=kind, headers=headers)


async def put(call: Call) -> Response:
    """Write one document, as an edit of this database or (`new_edits=false`) as another made it."""
    wire.check_doc_id(call.doc_id)
    draft = await _draft(call)
    return await store(call, call.doc_id, draft, replicated=call.query.get("new_edits") == "false")


async def _draft(call: Call) -> Draft:
    """The document in the body, alone or with its attachments behind it."""
    body = await bodies.read(call.request, call.parts.limits.request)
    kind = call.request.headers.get("content-type", "")
    if not kind.lower().startswith("multipart/related"):
        return wire.parse_document(wire.parse_json(body))
    parts = multipart.split(body, kind)
    return multipart.attach(wire.parse_document(wire.parse_json(parts[0].body)), parts[1:])


async def store(call: Call, doc_id: str, draft: Draft, *, replicated: bool) -> Response:
    """Write a draft under an id and say what became of it. Raises DocumentConflict, Forbidden, TooLarge."""
    if draft.follows:
        raise BadRequest("Attachments that follow need a multipart/related body.")
    accept.check_size(call, [draft])
    if replicated:
        edit = draft.edit(doc_id)
        return stored(call, doc_id, next(iter(await accept.graft(call, [edit])), edit.rev))
    write = _named(call, draft).write(doc_id)
    return stored(call, doc_id, (await accept.write(call, [write]))[0])


def _named(call: Call, draft: Draft) -> Draft:
    """The draft with the revision that it goes on from: in the body, the query, or `If-Match`."""
    named = set(draft.path[:1])
    if "rev" in call.query:
        named.add(wire.parse_rev(call.query["rev"]))
    if len(named) > 1:
        raise BadRequest("Document rev from request body and query string have different values")
    if match := call.request.headers.get("if-match"):
        named.add(wire.parse_rev(match.strip().strip('"')))
    if len(named) > 1:
        raise BadRequest("Document rev and etag have different values")
    return Draft(draft.id, tuple(named), draft.body, draft.deleted, draft.files)


def stored(
    call: Call, doc_id: str, outcome: Rev | Conflict | Refused, status: int = 201, *below: str
) -> Response:
    """What a single write answers; `below`: the file's name. Raises DocumentConflict, Forbidden, TooLarge."""
    match outcome:
        case Conflict():
            raise DocumentConflict
        case Refused(name="too_large"):
            raise TooLarge(outcome.reason)
        case Refused():
            raise Forbidden(outcome.reason)
        case Rev():
            row = {"ok": True, "id": doc_id, "rev": str(outcome)}
            return render(row, status, etag(str(outcome)) | call.location(doc_id, *below))


async def delete(call: Call) -> Response:
    """A revision that deletes, without a body."""
    document = await read(call, lambda _: ())
    _meant(document.tree, None, newest=False)
    write = _named(call, Draft(None, (), b"{}", deleted=True)).write(call.doc_id)
    if write.parent is None:
        raise DocumentConflict
    return stored(call, call.doc_id, (await accept.write(call, [write]))[0], 200)


async def copy(call: Call) -> Response:
    """Write the document again under the id that `Destination` names."""
    wanted = Wanted.of({})
    asked = wire.parse_rev(call.query["rev"]) if "rev" in call.query else None
    source = await read(call, lambda tree: wanted.of_one(tree, asked))
    rev = _meant(source.tree, asked, newest=False)
    if rev not in source.bodies:
        raise NotFound("missing")
    doc_id, parent = _destination(call.request.headers.get("destination", ""))
    if doc_id.startswith("_local/"):
        return await local.answered(call, doc_id, Draft(doc_id, (), source.bodies[rev].json))
    files = await wanted.as_files(call.store, source.bodies[rev])
    draft = Draft(doc_id, parent, source.bodies[rev].json, files=files)
    return stored(call, doc_id, (await accept.write(call, [draft.write(doc_id)]))[0])


def _destination(header: str) -> tuple[str, tuple[Rev, ...]]:
    if not header:
        raise BadRequest("Destination header is mandatory for COPY.")
    target, _, rest = header.partition("?")
    given = unquote(target), unquote(rest).removeprefix("rev=")
    return wire.check_doc_id(given[0]), (wire.parse_rev(given[1]),) if given[1] else ()


ROUTES = [
    Route("GET", "/{db}/{id}", Action.READ, get),
    Route("PUT", "/{db}/{id}", Action.WRITE, put),
    Route("DELETE", "/{db}/{id}", Action.WRITE, delete),
    Route("COPY", "/{db}/{id}", Action.WRITE, copy),
]
