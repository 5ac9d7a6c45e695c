"""The one way in: what a peer sends is admitted by the application, stored, and told to it."""

from collections.abc import Sequence

from sync.errors import DocumentTooLarge
from sync.hooks import Refused
from sync.http.routing import Call
from sync.rev import Rev
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
    edits = [_as_edit(write) for write in writes]
    verdicts = await application.admit(call.caller, call.db, edits)
    admitted = [
        Write(write.id, write.parent, verdict.body, verdict.deleted, verdict.files)
        for write, verdict in zip(writes, verdicts, strict=True)
        if isinstance(verdict, Edit)
    ]
    stored = await call.store.write(call.db, admitted)
    changed = {write.id for write, rev in zip(admitted, stored, strict=True) if isinstance(rev, Rev)}
    if changed:
        await application.observe(call.db, changed)
    outcomes = iter(stored)
    return [verdict if isinstance(verdict, Refused) else next(outcomes) for verdict in verdicts]


def _as_edit(write: Write) -> Edit:
    """What is to become of a write, so that one check serves both ways in."""
    rev = mint(write.parent, write.deleted, write.body, write.files)
    path = (rev,) if write.parent is None else (rev, write.parent)
    return Edit(write.id, path, write.body, write.deleted, write.files)


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
    """PouchDB goes on after `forbidden`, and stops at any other name."""
    name = "too_large" if refused.name == "too_large" else "forbidden"
    return {"id": refused.id, "rev": refused.rev, "error": name, "reason": refused.reason}
