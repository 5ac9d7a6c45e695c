"""The one way in: what a peer sends is admitted by the application, stored, and told to it."""

from collections.abc import Sequence

from sync.errors import DocumentTooLarge
from sync.hooks import Refused, Stored
from sync.http.routing import Call
from sync.rev import Rev
from sync.revtree import Growing
from sync.store.interface import Conflict, Edit, Write
from sync.store.mint import mint
from sync.wire import Draft

Row = dict[str, object]


def check_size(call: Call, drafts: Sequence[Draft]) -> None:
    """Raises DocumentTooLarge."""
    for draft in drafts:
        if len(draft.body) > call.parts.limits.document:
            raise DocumentTooLarge(draft.id)


async def graft(call: Call, edits: Sequence[Edit]) -> list[Refused]:
    """Store revisions as they are; answers those that may not enter."""
    application = call.parts.application
    verdicts = await application.admit(call.caller, call.db, edits)
    admitted = [verdict for verdict in verdicts if isinstance(verdict, Edit)]
    grew = await call.store.graft(call.db, admitted)
    changed = {edit.id for edit, new in zip(admitted, grew, strict=True) if new}
    if changed:
        await application.observe(call.db, changed)
    return [verdict for verdict in verdicts if isinstance(verdict, Refused)]


async def write(call: Call, writes: Sequence[Write]) -> list[Rev | Conflict | Refused]:
    """Store edits of this database; one answer for each, in order."""
    application = call.parts.application
    trees = await call.store.trees(call.db, {write.id for write in writes})
    known = {write.id: Growing(trees.get(write.id, {})) for write in writes}
    edits = [_as_edit(write, known[write.id]) for write in writes]
    fitting = [edit for edit in edits if isinstance(edit, Edit)]
    verdicts = await application.admit(call.caller, call.db, fitting)
    admitted = [
        _as_write(sent, verdict)
        for sent, verdict in zip(fitting, verdicts, strict=True)
        if isinstance(verdict, Edit)
    ]
    stored = await call.store.write(call.db, admitted)
    changed = {write.id for write, rev in zip(admitted, stored, strict=True) if isinstance(rev, Rev)}
    if changed:
        await application.observe(call.db, changed)
    outcomes, judged = iter(stored), iter(verdicts)
    told = [edit if isinstance(edit, Conflict) else next(judged) for edit in edits]
    return [
        next(outcomes) if isinstance(one, Edit) else Rev.parse(one.rev) if isinstance(one, Stored) else one
        for one in told
    ]


def _as_edit(write: Write, tree: Growing) -> Edit | Conflict:
    """The very revision that a write is to become, so that one check serves both ways in."""
    parent, fits = tree.follows(write.parent)
    if not fits:
        return Conflict(write.id)
    rev = mint(parent, write.deleted, write.body, write.files)
    path = (rev,) if parent is None else (rev, parent)
    return Edit(write.id, path, write.body, write.deleted, write.files)


def _as_write(sent: Edit, admitted: Edit) -> Write:
    """What the application made of it: the sent revision, or a derived child of that with both its revisions.

    The store writes exactly these, and only while their parent is still a leaf.
    """
    above = len(sent.path) - 1
    path = admitted.path[: len(admitted.path) - above]
    parent = sent.path[1] if above else None
    return Write(sent.id, parent, admitted.body, admitted.deleted, admitted.files, path)


def outcome_row(doc_id: str, outcome: Rev | Conflict | Refused) -> Row:
    """The row of `_bulk_docs`."""
    match outcome:
        case Refused():
            return refused_row(outcome)
        case Conflict():
            return {"id": doc_id, "error": "conflict", "reason": "Document update conflict."}
        case Rev():
            return {"ok": True, "id": doc_id, "rev": str(outcome)}


def refused_row(refused: Refused) -> Row:
    """PouchDB goes on after `forbidden`, and stops at any other name.

    What is meant stands beside it as `is`, in the words of the exchange: CouchDB's peers pass over what they
    do not know, and a phone whose proxy refuses the exchange can tell held from broken.
    """
    named = {"id": refused.id, "rev": refused.rev, "error": "forbidden"}
    return {**named, "is": refused.name, "reason": refused.reason}
