"""What is known of a batch before it is judged: read at once, from the store and from the rows."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from zlib import crc32

from sqlalchemy import Connection, func, select

from server import archive, authors, ledger, naming, quarantine, restores, strokes
from server.admission import Admitted, Asking, Known, Verdict, acts_named, no_room, office_device
from server.bounds import BOUNDED, PHOTOS
from server.clock import instant
from server.rows import tables
from server.rows.engine import table
from server.settle import read_body
from sync.merge import Body
from sync.rev import Rev
from sync.store.interface import Document, Edit

_devices = table(tables.Device)


class Batch(NamedTuple):
    """Edits that are judged together: who sends them, where they enter, why they cannot enter by themselves,
    and where they were sent to if that is another place."""

    asking: Asking
    db: str
    late: quarantine.Why | None = None
    sent_to: str | None = None

    @property
    def places(self) -> list[str]:
        """Where records of these documents may wait."""
        return [place for place in (self.sent_to, self.db) if place]

    def placed(self, held: quarantine.Held, documents: Collection[str]) -> quarantine.Held:
        """A record to hold, where it waits: with its document, or, while that is nowhere, where it was sent.
        Where it belongs is decided when it enters: hamlets that were merged may stand again by then."""
        return held if self.sent_to is None or held.edit.id in documents else held._replace(db=self.sent_to)


class Read(NamedTuple):
    """What the store said before a batch is judged, whether the clock may judge, and whether the database is
    there: of one that is lost the archive is still here, and proves nothing."""

    documents: Mapping[str, Document]
    checklists: Mapping[str, Body]
    sane: bool
    there: bool = True


def look_up(
    connection: Connection, batch: Batch, edits: Sequence[Edit], held: Read, *, now: datetime
) -> Known:
    """All that is known here of the documents of a batch, in the transaction of the rows that archives what
    is accepted: of two requests at once the second one sees what the first one adds."""
    documents, grant, db = held.documents, batch.asking.grant, batch.db
    lost = {(edit.id, rev) for edit in edits for rev in _unread(edit, documents.get(edit.id))}
    named = [edit for edit in edits if (one := documents.get(edit.id)) and edit.rev in one.tree]
    owned = select(_devices.c.id, _devices.c.recovering_at).where(_devices.c.user == grant.user)
    devices = {row.id: row.recovering_at for row in connection.execute(owned)}
    office = {office_device(grant.user)} if grant.role.staff else set()
    recovering = devices.get(grant.device or "") or ""
    restored = restores.ever(connection)
    known = grant.live and not batch.asking.stranger
    ids, revs = {edit.id for edit in edits}, {(edit.id, edit.rev) for edit in edits}
    # what came by these names while the trees were read is kept in this transaction, and not in those yet
    bodies = archive.bodies(connection, db, revs | lost) if held.there else {}
    # others may have given the same back, where something else is here by its name
    taken = [*named, *(edit for edit in edits if (edit.id, edit.rev) in bodies)]
    revs |= {(edit.id, quarantine.apart_as(edit.rev, edit.body)) for edit in taken}
    late = strokes.late(connection, grant.user, ids) if known else set[str]()
    return Known(
        documents,
        bodies,
        {
            key: one
            for place in batch.places
            for key, one in quarantine.decided(connection, place, revs).items()
        },
        ledger.erased(connection, ids) | late,
        devices.keys() | office | ({grant.device} if grant.device else set()),
        restored and _is_recovering(connection, recovering, now),
        held.checklists,
        restored,
        authors.of_acts(connection, acts_named(edits)),
        _entering(connection, db, edits, documents),
        authors.of_photos(connection, db, _crowded(edits, documents)),
    )


def _is_recovering(connection: Connection, asked_at: str, now: datetime) -> bool:
    """Whether a phone that was asked then for what it has may give back other people's work. It may have been
    asked long before anybody said that files were put back (`camket restore --by-hand`)."""
    return asked_at > instant(now - restores.RECOVERY) or bool(asked_at and restores.lately(connection, now))


def _crowded(edits: Sequence[Edit], documents: Mapping[str, Document]) -> set[str]:
    """The inspections of a batch that might have more photographs than one person may take."""
    shown: dict[str, int] = {}
    for edit in edits:
        if edit.id.startswith("inspection:"):
            held = documents.get(edit.id)
            bodies = [edit.body, *(one.json for one in held.bodies.values())] if held else [edit.body]
            shown[edit.id] = shown.get(edit.id, 0) + sum(body.count(b'"id":') for body in bodies)
    return {doc_id for doc_id, most in shown.items() if most > PHOTOS}


def _entering(
    connection: Connection, db: str, edits: Sequence[Edit], documents: Mapping[str, Document]
) -> dict[str, list[Body]]:
    """What was accepted of bounded documents and not in their trees as those were read: it is under way."""
    ids = {edit.id for edit in edits if edit.id.partition(":")[0] in BOUNDED}
    if not ids:
        return {}
    if connection.dialect.name == "postgresql":  # SQLite has one writer anyway
        connection.execute(select(func.pg_advisory_xact_lock(crc32(db.encode()))))
    trees = {doc_id: one.tree for doc_id in ids if (one := documents.get(doc_id))}
    # what lies below was forgotten by the tree, long ago
    floors = {doc_id: min(tree).generation for doc_id, tree in trees.items() if tree}
    new = {
        (doc_id, rev)
        for doc_id, rev in archive.revisions(connection, db, ids)
        if rev not in trees.get(doc_id, {}) and rev.generation >= floors.get(doc_id, 0)
    }
    found: dict[str, list[Body]] = {}
    for (doc_id, _), raw in archive.bodies(connection, db, new).items():
        if (body := read_body(doc_id, raw)) is not None:
            found.setdefault(doc_id, []).append(body)
    return found


def _unread(edit: Edit, document: Document | None) -> Iterator[Rev]:
    """The ancestors up to the nearest one whose body the store gave."""
    for rev in edit.path[1:]:
        if document and rev in document.bodies:
            return
        yield rev


def freed(
    connection: Connection, db: str, judged: Sequence[tuple[Edit, Verdict]], held: Read
) -> list[Verdict]:
    """What enters, or waits, by names that are free, those that the server gives (`server.naming`)."""
    given = {
        (one.id, one.rev): one.body
        for edit, verdict in judged
        if isinstance(verdict, Admitted)
        for one in verdict.entries
        if one.rev != edit.rev
    }
    names = naming.free(connection, db, given, held.documents)

    def named(verdict: Verdict) -> Verdict:
        if isinstance(verdict, quarantine.Held):
            return quarantine.freed(connection, verdict)
        if not isinstance(verdict, Admitted):
            return verdict
        return Admitted(*naming.renamed(verdict.edit, verdict.entries, names))

    return [named(verdict) for _, verdict in judged]


def hold(
    connection: Connection, batch: Batch, verdicts: Sequence[Verdict], held: Read, *, at: str
) -> list[Verdict]:
    """Keep what a person is to decide about, as far as there is room for what this sender hands in."""
    documents, words = held.documents, batch.asking.words
    placed = [batch.placed(one, documents) if isinstance(one, quarantine.Held) else one for one in verdicts]
    waiting = [one for one in placed if isinstance(one, quarantine.Held)]
    left, count = quarantine.beyond(connection, waiting)

    def judged(one: Verdict) -> Verdict:
        if isinstance(one, quarantine.Held) and (one.edit.id, one.edit.rev) in left:
            return no_room(one, count, words)
        return one

    found = [judged(one) for one in placed]
    quarantine.hold(connection, (one for one in found if isinstance(one, quarantine.Held)), at)
    return found
