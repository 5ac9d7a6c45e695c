"""What of a document is asked for, and how it is laid out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import orjson

from sync import choice, multipart, revtree, wire
from sync.http import query as query_
from sync.rev import Rev
from sync.revtree import Tree
from sync.store.interface import Attachment, Body, Document, File, Store


@dataclass(frozen=True, slots=True)
class Wanted:
    """The options that `GET`, `open_revs`, `_bulk_get`, `_changes` and `_all_docs` share."""

    revs: bool = False
    revs_info: bool = False
    latest: bool = False
    conflicts: bool = False
    deleted_conflicts: bool = False
    local_seq: bool = False
    attachments: bool = False
    atts_since: Sequence[Rev] | None = None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Self:
        """Raises BadRequest, QueryInvalid."""
        asks = {name for name, value in query.items() if value == "true"}
        return cls(
            revs="revs" in asks,
            revs_info=bool({"revs_info", "meta"} & asks),
            latest="latest" in asks,
            conflicts=bool({"conflicts", "meta"} & asks),
            deleted_conflicts=bool({"deleted_conflicts", "meta"} & asks),
            local_seq="local_seq" in asks,
            attachments="attachments" in asks,
            atts_since=query_.revs(query, "atts_since"),
        )

    def since(self, known: Sequence[Rev]) -> Self:
        """The same, for a peer that has the attachments of these revisions."""
        return replace(self, atts_since=known)

    @property
    def files(self) -> bool:
        """Whether bytes of attachments are asked for."""
        return self.attachments or self.atts_since is not None

    @property
    def is_plain(self) -> bool:
        """Whether nothing is asked for beyond revisions with their ancestry."""
        return replace(self, revs=False, latest=False) == _PLAIN

    def of_one(self, tree: Tree, asked: Rev | None) -> Sequence[Rev]:
        """The revisions whose bodies one answer needs."""
        rev = revtree.winner(tree) if asked is None else asked
        if asked is not None and self.latest:
            rev = choice.latest(tree, [asked])[0]
        if self.revs_info and rev in tree:
            return revtree.ancestry(tree, rev)
        return (rev,)

    def of_many(self, tree: Tree, asked: Sequence[Rev] | None) -> Sequence[Rev]:
        """The revisions meant: all leaves where none are named, each once."""
        if asked is None:
            return revtree.leaves(tree)
        return choice.latest(tree, asked) if self.latest else list(dict.fromkeys(asked))

    def file_is_news(self, tree: Tree, rev: Rev) -> Callable[[Attachment], bool]:
        """Which attachments come with their bytes: those that the peer does not have from `atts_since`."""
        if self.atts_since is None:
            return lambda _: self.attachments
        known = choice.newest_common(tree, rev, self.atts_since)
        return lambda file: file.revpos > known

    async def as_files(self, store: Store, body: Body) -> dict[str, File]:
        """The attachments of a body, to be written again elsewhere."""
        return {
            name: File(file.content_type, await store.attachment(file.key), file.revpos)
            for name, file in body.attachments.items()
        }


_PLAIN = Wanted()


def extras(document: Document, rev: Rev, wanted: Wanted) -> bytes:
    """The special fields that were asked for."""
    tree = document.tree
    fields = b""
    if wanted.revs:
        fields += wire.render_revisions(tree, rev)
    if wanted.revs_info:
        rows = [{"rev": str(past), "status": _status(document, past)} for past in revtree.ancestry(tree, rev)]
        fields += b',"_revs_info":' + orjson.dumps(rows)
    if wanted.conflicts or wanted.deleted_conflicts:
        leaves = wire.leaves_of(tree)
        fields += wire.render_conflicts(leaves) if wanted.conflicts else b""
        fields += wire.render_conflicts(leaves, deleted=True) if wanted.deleted_conflicts else b""
    if wanted.local_seq:
        fields += b',"_local_seq":' + orjson.dumps(document.seq)
    return fields


def _status(document: Document, rev: Rev) -> str:
    if rev not in document.bodies:
        return "missing"
    return "deleted" if document.tree[rev].deleted else "available"


async def render_revision(store: Store, doc_id: str, document: Document, rev: Rev, wanted: Wanted) -> bytes:
    """One revision as JSON, the bytes of its attachments inside where they are asked for."""
    body = document.bodies[rev]
    files = b""
    if body.attachments and wanted.files:
        files = await inline_files(store, body, wanted.file_is_news(document.tree, rev))
    return wire.render_document(
        doc_id,
        rev,
        body,
        deleted=document.tree[rev].deleted,
        extra=extras(document, rev, wanted),
        files=files,
    )


async def inline_files(store: Store, body: Body, is_news: Callable[[Attachment], bool]) -> bytes:
    """`,"_attachments":{…}` with bytes of those that are news, stubs of the rest."""
    entries = {
        name: wire.inlined(file, await store.attachment(file.key)) if is_news(file) else wire.stub(file)
        for name, file in body.attachments.items()
    }
    return b',"_attachments":' + orjson.dumps(entries)


async def file_parts(
    store: Store, doc_id: str, document: Document, rev: Rev, wanted: Wanted
) -> list[multipart.Part]:
    """One revision as the parts of multipart/related: the document, then the bytes in its order."""
    body = document.bodies[rev]
    is_news = wanted.file_is_news(document.tree, rev)
    news = {name: file for name, file in body.attachments.items() if is_news(file)}
    entries = {
        name: wire.following(file) if name in news else wire.stub(file)
        for name, file in body.attachments.items()
    }
    head = wire.render_document(
        doc_id,
        rev,
        body,
        deleted=document.tree[rev].deleted,
        extra=extras(document, rev, wanted),
        files=b',"_attachments":' + orjson.dumps(entries) if entries else b"",
    )
    parts = [multipart.Part({"Content-Type": "application/json"}, head)]
    for name, file in news.items():
        headers = {
            "Content-Disposition": f"attachment; filename={multipart.quoted(name)}",
            "Content-Type": file.content_type,
            "Content-Length": str(file.length),
        }
        parts.append(multipart.Part(headers, await store.attachment(file.key)))
    return parts
