"""CouchDB's JSON on the wire, to and from frozen messages. Pure: bytes and values in, bytes and values out.

Documents are read into a `Draft` (its special fields apart, the rest as canonical bytes) and rendered by
joining bytes: what was stored is never parsed on its way out. What a peer gets wrong is raised.
"""

import base64
import binascii
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import orjson

from sync import nesting, revtree
from sync.errors import (
    BadRequest,
    IllegalDocId,
    InvalidDocument,
    InvalidJSON,
    InvalidName,
    TooManyDocuments,
)
from sync.rev import Rev
from sync.revtree import Tree
from sync.store.interface import (
    NO_FILES,
    Attachment,
    Body,
    Change,
    Current,
    Edit,
    File,
    Files,
    Leaf,
    Stub,
    Write,
)

MAX_GENERATION = 2**32 - 1
MOST_DOCUMENTS = 10_000
"""In one `_bulk_docs` or `_bulk_get`, as in CouchDB; replicators send some hundreds."""
_DATABASE = re.compile(r"[a-z][a-z0-9_$()+/-]{0,237}")
_IGNORED = frozenset({"_revs_info", "_local_seq", "_conflicts", "_deleted_conflicts"})
NO_REVISION = "When `new_edits: false`, the document needs `_rev` or `_revisions` specified"
_KEPT = "_replication_"
"""What CouchDB's replicator writes into its own documents: fields like any other."""


# --- values -------------------------------------------------------------------------------------------------


def parse_json(data: bytes) -> Any:
    """Any JSON value. Raises InvalidJSON (also for lone surrogates and invalid UTF-8), TooLarge.

    Numbers are kept as they are meant, `1.0` apart from `1`; integers beyond 64 bits become the nearest
    double, as in every peer that runs JavaScript.
    """
    nesting.check(data)
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise InvalidJSON from error


def parse_object(data: bytes) -> dict[str, Any]:
    """A JSON object. Raises BadRequest."""
    value = parse_json(data)
    if not isinstance(value, dict):
        raise BadRequest("Request body must be a JSON object")
    return value


def to_json(value: object) -> bytes:
    """JSON with sorted keys: canonical but for number formats. Raises BadRequest where it nests too deep."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError as error:  # orjson stops at 254 levels
        raise BadRequest("The JSON nests too deep.") from error


def parse_rev(text: object) -> Rev:
    """`N-text` from a peer. Raises BadRequest."""
    if not isinstance(text, str):
        raise BadRequest("Invalid rev format")
    try:
        rev = Rev.parse(text)
    except ValueError as error:
        raise BadRequest("Invalid rev format") from error
    if rev.generation > MAX_GENERATION:
        raise BadRequest("Invalid rev format")
    return rev


def parse_database_name(name: str) -> str:
    """Raises InvalidName."""
    if not _DATABASE.fullmatch(name):
        raise InvalidName(f"Name: '{name[:80]}'. {InvalidName.default}")
    return name


def check_doc_id(doc_id: object) -> str:
    """An id that a document may have, `_design/…` and `_local/…` among them. Raises IllegalDocId."""
    if not isinstance(doc_id, str):
        raise IllegalDocId("Document id must be a string")
    if not doc_id:
        raise IllegalDocId("Document id must not be empty")
    if doc_id[0] == "_" and not _may_start_with_underscore(doc_id):
        raise IllegalDocId
    return doc_id


def _may_start_with_underscore(doc_id: str) -> bool:
    prefix, _, name = doc_id.partition("/")
    return prefix in {"_design", "_local"} and bool(name)


# --- documents in -------------------------------------------------------------------------------------------


class Draft(NamedTuple):
    """A document as a peer sent it; `path` is what it says of its own past, newest first."""

    id: str | None
    path: tuple[Rev, ...]
    body: bytes
    deleted: bool = False
    files: Files = NO_FILES
    follows: Mapping[str, "Follows"] = {}

    def edit(self, doc_id: str) -> Edit:
        """As it is replicated. Raises BadRequest where it names no revision."""
        if not self.path:
            raise BadRequest(NO_REVISION)
        return Edit(doc_id, self.path, self.body, self.deleted, self.files)

    def write(self, doc_id: str) -> Write:
        """As it is edited: a child of the revision that it names, to which bytes that came are new."""
        files = {name: replace(file, revpos=None) for name, file in self.files.items()}
        return Write(doc_id, self.path[0] if self.path else None, self.body, self.deleted, files)


@dataclass(frozen=True, slots=True)
class Follows:
    """An attachment whose bytes come in a later part of the request."""

    content_type: str
    length: int | None
    revpos: int | None


def parse_document(value: object) -> Draft:
    """Take a document apart. Raises InvalidDocument, IllegalDocId, BadRequest."""
    if not isinstance(value, dict):
        raise BadRequest(InvalidDocument.default)
    doc_id: str | None = None
    rev: Rev | None = None
    path: tuple[Rev, ...] = ()
    deleted = False
    files: Files = NO_FILES
    follows: Mapping[str, Follows] = {}
    for name in [name for name in value if name[:1] == "_" and not name.startswith(_KEPT)]:
        part = value.pop(name)
        if name == "_id":
            doc_id = check_doc_id(part)
        elif name == "_rev":
            rev = parse_rev(part)
        elif name == "_revisions":
            path = _parse_revisions(part)
        elif name == "_deleted" and isinstance(part, bool):
            deleted = part
        elif name == "_attachments":
            files, follows = _parse_files(part)
        elif name not in _IGNORED:
            raise InvalidDocument(f"Bad special document member: {name[:80]}")
    if not path and rev is not None:
        path = (rev,)
    return Draft(doc_id, path, to_json(value), deleted, files, follows)


def _parse_revisions(value: object) -> tuple[Rev, ...]:
    """The path that `_revisions` tells, newest first. Raises InvalidDocument."""
    start = value.get("start") if isinstance(value, dict) else None
    ids = value.get("ids") if isinstance(value, dict) else None
    if type(start) is not int:
        raise InvalidDocument("_revisions.start isn't an integer.")
    if not isinstance(ids, list):
        raise InvalidDocument("_revisions.ids isn't a array.")
    if not ids or not len(ids) <= start <= MAX_GENERATION:
        raise InvalidDocument("_revisions.ids and _revisions.start do not fit.")
    if not all(isinstance(digest, str) for digest in ids):
        raise InvalidDocument("RevId isn't a string")
    return tuple([Rev(start - back, digest) for back, digest in enumerate(ids)])


def _parse_files(value: object) -> tuple[Files, Mapping[str, Follows]]:
    """`_attachments`: with data, as stubs, or following. Raises InvalidDocument, BadRequest."""
    if not isinstance(value, dict):
        raise InvalidDocument("Attachments property must be an object")
    files: dict[str, File | Stub] = {}
    follows: dict[str, Follows] = {}
    for name, entry in value.items():
        check_file_name(name)
        if not isinstance(entry, dict):
            raise InvalidDocument(f"Attachment {name[:80]} must be an object")
        revpos = entry.get("revpos")
        revpos = revpos if type(revpos) is int and 0 <= revpos <= MAX_GENERATION else None
        content_type = entry.get("content_type")
        if not isinstance(content_type, str):
            content_type = "application/octet-stream"
        if entry.get("stub") is True:
            digest = entry.get("digest")
            files[name] = Stub(revpos, digest if isinstance(digest, str) else None)
        elif entry.get("follows") is True:
            length = entry.get("length")
            follows[name] = Follows(content_type, length if type(length) is int else None, revpos)
        else:
            files[name] = File(content_type, _decode(entry.get("data"), name), revpos)
    return files, follows


def check_file_name(name: str) -> None:
    """Raises BadRequest for names that no attachment may have."""
    if not name or name.startswith("_"):
        raise BadRequest(f"Attachment name '{name[:80]}' starts with prohibited character '_'")


def _decode(data: object, name: str) -> bytes:
    try:
        if not isinstance(data, str):
            raise TypeError
        return base64.b64decode(data, validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise BadRequest(f"Attachment data of {name[:80]} is no base64") from error


_LOCAL_REV = re.compile(r"0-([0-9]{1,18})")


def parse_local(value: object) -> Draft:
    """A `_local` document, whose revision is `0-N`: the path says N as a generation. Raises BadRequest."""
    if not isinstance(value, dict):
        raise BadRequest(InvalidDocument.default)
    rev = value.pop("_rev", None)
    value.pop("_revisions", None)
    draft = parse_document(value)
    if rev is None:
        return draft
    number = _LOCAL_REV.fullmatch(rev) if isinstance(rev, str) else None
    if number is None:
        raise BadRequest("Invalid rev format")
    return draft._replace(path=(Rev(int(number[1]), ""),))


@dataclass(frozen=True, slots=True)
class BulkDocs:
    """`_bulk_docs`: the drafts, and whether they are edits of this database or another's."""

    drafts: tuple[Draft, ...]
    new_edits: bool


def parse_any(value: object) -> Draft:
    """A document or, by its id, a `_local` one. Raises as `parse_document` and `parse_local` do."""
    is_local = isinstance(value, dict) and str(value.get("_id", "")).startswith("_local/")
    return parse_local(value) if is_local else parse_document(value)


def parse_bulk_docs(data: bytes) -> BulkDocs:
    """One bad document fails the whole, as in CouchDB.

    Raises BadRequest, TooManyDocuments, and what `parse_document` raises.
    """
    value = parse_object(data)
    docs = value.get("docs")
    if docs is None:
        raise BadRequest("POST body must include `docs` parameter.")
    if not isinstance(docs, list):
        raise BadRequest("`docs` parameter must be an array.")
    if len(docs) > MOST_DOCUMENTS:
        raise TooManyDocuments(str(MOST_DOCUMENTS))
    new_edits = value.get("new_edits", True)
    if not isinstance(new_edits, bool):
        raise BadRequest("`new_edits` parameter must be a boolean.")
    drafts = tuple([parse_any(doc) for doc in docs])
    if not new_edits:
        for draft in drafts:
            if not draft.path and not (draft.id or "").startswith("_local/"):
                raise BadRequest(NO_REVISION)
    return BulkDocs(drafts, new_edits)


def parse_revs_by_id(data: bytes) -> dict[str, list[Rev]]:
    """`{id: [rev, …]}` of `_revs_diff`, `_missing_revs` and `_purge`. Raises BadRequest."""
    asked: dict[str, list[Rev]] = {}
    for doc_id, revs in parse_object(data).items():
        if not isinstance(revs, list):
            raise BadRequest("Request body must be an object of arrays of revisions")
        asked[doc_id] = [parse_rev(rev) for rev in revs]
    return asked


# --- documents out ------------------------------------------------------------------------------------------


def render_document(
    doc_id: str, rev: Rev | str, body: Body, *, deleted: bool = False, extra: bytes = b"", files: bytes = b""
) -> bytes:
    """A document with its special fields; `extra` and `files` are ready fields, each with a leading comma."""
    head = b'{"_id":%b,"_rev":%b%b%b%b' % (
        orjson.dumps(doc_id),
        orjson.dumps(str(rev)),
        b',"_deleted":true' if deleted else b"",
        extra,
        files or (render_stubs(body.attachments) if body.attachments else b""),
    )
    return head + (b"}" if body.json == b"{}" else b"," + body.json[1:])


def render_stubs(attachments: Mapping[str, Attachment]) -> bytes:
    """`,"_attachments":{…}` without bytes."""
    return b',"_attachments":' + orjson.dumps({name: stub(file) for name, file in attachments.items()})


def stub(file: Attachment) -> dict[str, object]:
    """An attachment without its bytes."""
    return {**described(file), "length": file.length, "stub": True}


def inlined(file: Attachment, data: bytes) -> dict[str, object]:
    """An attachment with its bytes."""
    return {**described(file), "data": base64.b64encode(data).decode()}


def following(file: Attachment) -> dict[str, object]:
    """An attachment whose bytes come in a later part."""
    return {**described(file), "length": file.length, "follows": True}


def described(file: Attachment) -> dict[str, object]:
    """What every form of an attachment says."""
    return {"content_type": file.content_type, "revpos": file.revpos, "digest": file.digest}


def render_revisions(tree: Tree, rev: Rev) -> bytes:
    """`,"_revisions":{…}`: the ancestry as far as it is known."""
    return _revisions(rev.generation, [ancestor.digest for ancestor in revtree.ancestry(tree, rev)])


def _revisions(start: int, ids: Sequence[str]) -> bytes:
    return b',"_revisions":' + orjson.dumps({"start": start, "ids": ids})


def render_current(current: Current, *, revs: bool) -> bytes:
    """A winner, with its ancestry where that is asked for."""
    doc_id, rev, deleted, body, line = current
    extra = _revisions(int(rev.partition("-")[0]), line) if revs else b""
    return render_document(doc_id, rev, body, deleted=deleted, extra=extra)


def leaves_of(tree: Tree) -> tuple[Leaf, ...]:
    """The leaves, the winner first, as a feed has them."""
    return tuple([Leaf(rev, tree[rev].deleted) for rev in revtree.leaves(tree)])


def render_conflicts(leaves: Sequence[Leaf], *, deleted: bool = False) -> bytes:
    """`,"_conflicts":[…]` or `,"_deleted_conflicts":[…]`, descending; nothing where there are none."""
    revs = [str(leaf.rev) for leaf in leaves[1:] if leaf.deleted == deleted]
    name = b"_deleted_conflicts" if deleted else b"_conflicts"
    return b',"%b":%b' % (name, orjson.dumps(revs)) if revs else b""


def render_missing(
    asked: Mapping[str, Sequence[Rev]], trees: Mapping[str, Tree], untold: Collection[tuple[str, Rev]]
) -> bytes:
    """What `_revs_diff` answers for trees that have no more than the names of those that are `untold`."""
    rows: dict[str, dict[str, list[str]]] = {}
    for doc_id, revs in asked.items():
        tree = trees.get(doc_id, {})
        unnamed = {*revtree.missing(tree, revs)}
        absent = [rev for rev in revs if rev in unnamed or (doc_id, rev) in untold]
        ancestors = revtree.possible_ancestors(tree, absent) if absent else []
        if absent:
            row = rows[doc_id] = {"missing": [str(rev) for rev in absent]}
            if ancestors:
                row["possible_ancestors"] = [str(rev) for rev in ancestors]
    return orjson.dumps(rows)


def render_change(change: Change, *, all_leaves: bool, seq: bytes, doc: bytes | None = None) -> bytes:
    """One row of the feed; `seq` is JSON, since it may be left out (`null`)."""
    leaves = change.leaves if all_leaves or len(change.leaves) == 1 else change.leaves[:1]
    return b'{"seq":%b,"id":%b,"changes":[%b]%b%b}' % (
        seq,
        orjson.dumps(change.id),
        b",".join([b'{"rev":%b}' % orjson.dumps(str(leaf.rev)) for leaf in leaves]),
        b',"deleted":true' if change.leaves[0].deleted else b"",
        b"" if doc is None else b',"doc":' + doc,
    )
