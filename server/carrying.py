"""What was written to a household that is another one by now goes on to that one.

A household that was merged keeps its id as an alias (`status.into`). Its pledges are joined into those of
the household that was kept, which is lawful as every merge is: acts are a set, each with its own id, author
and time. The old document ends in a tombstone `{"moved_to": <new id>}`, and begins again when a phone that
has not heard of it writes there; then it is carried over again. Nothing is minted: twice writes nothing new.

Of two acts by one id that are not the same, be it that somebody has taken another's, the one that comes over
gets an id of its own (`server.aside`): a set would keep one of the two.

What staff sent back is sent back where it goes (`server.review.sent_back`): nobody approves it unseen there.

The way back: acts are a grow-only set, so those that came over are voided where they are (by staff, each by
its id), and the old pledge begins again with all that was ever written to it, and with what was taken back of
it since (`given_back`). What was recorded for the kept household after the merge stays there. An act that a
parting has voided was no mistake: what voids it is known by its id, so that another parting does not take it
back with the others, where a restore has lost the first one and phones bring it back in pieces.

And once more: what was voided by a parting stays voided wherever it comes together again. Staff who merge
such a pair make those acts anew, in the pledge where they stood until then (`undone`): they go where it goes.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from anyio import to_thread
from sqlalchemy import Connection, Engine, select

import schemas
from server import archive, aside, moving, review
from server.clock import Clock, instant
from server.projection import standing_acts
from server.review import Digests
from server.rows import tables
from server.rows.engine import readers, table, writing
from server.rows.statements import chunks
from server.settle import POLICY, ends, read_bodies, read_body
from sync import canonical, merge, revtree
from sync.merge import Body
from sync.resolve import child
from sync.rev import Rev, derive
from sync.store.interface import DocStore, Document, Edit

_households, _pledges = table(tables.HouseholdRow), table(tables.PledgeRow)
_log = logging.getLogger(__name__)

Act = Mapping[str, Any]

CHAIN = 20
"""Households that may have been merged one into another, and so on, before a pledge finds its place."""


class Carried(NamedTuple):
    """What to write, in one batch: into the new document if the old one says more, into its review if the old
    one was sent back, and tombstones on that."""

    into: Edit | None
    review: Edit | None
    tombstones: tuple[Edit, ...]


def plan(
    old_id: str, old: Document, new_id: str, new: Document | None, reviews: Mapping[str, Document]
) -> Carried | None:
    """How to carry one pledge over; None where nothing lives there, or what lives cannot be merged. Pure.

    Those of the two pledges' reviews that there are are among `reviews`, by id.
    """
    live = revtree.live(old.tree)
    bodies = read_bodies(old_id, old)
    brought = [body for rev in live if (body := bodies.get(rev)) is not None and _mergeable(body)]
    if not live or len(brought) < len(live):
        return None
    theirs = read_bodies(new_id, new) if new else {}
    standing = revtree.live(new.tree) if new else []
    held = [body for rev in standing if (body := theirs.get(rev)) is not None and _mergeable(body)]
    if len(held) < len(standing):
        return None
    rules = POLICY["pledge", brought[0]["v"]]
    beside = [aside.beside(body, held) for body in brought]
    whole = merge.join((*held, *beside), rules)
    joined = canonical.encode(whole)
    into: Edit | None = None
    if not standing or joined != canonical.encode(merge.join(held[:1], rules)):
        into = Edit(new_id, _path(new, live[0], joined), joined)
    digests = Digests(
        review.digest(brought[0]) if len(brought) == 1 else None,
        review.digest(held[0]) if held else None,
        review.digest(whole if into else held[0]),
    )
    said = canonical.encode({"moved_to": new_id})
    decided = _sent_back(f"review:{old_id}", f"review:{new_id}", reviews, digests)
    return Carried(
        into, decided, tuple(Edit(old_id, *child(old.tree, rev, said, deleted=True)) for rev in live)
    )


def _sent_back(old_id: str, new_id: str, reviews: Mapping[str, Document], digests: Digests) -> Edit | None:
    """What is to be written of the review of the kept pledge; nothing upon what cannot be read here."""
    old, new = reviews.get(old_id), reviews.get(new_id)
    kept = _body(new_id, new) if new else {}
    if old is None or (new and revtree.live(new.tree) and not kept):
        return None
    if (body := review.sent_back(_body(old_id, old), kept, digests)) is None:
        return None
    raw = canonical.encode(body)
    return Edit(new_id, _path(new, revtree.winner(old.tree), raw), raw)


def _mergeable(body: Body) -> bool:
    return not schemas.newer(body) and (body["type"], body["v"]) in POLICY


def _path(new: Document | None, old: Rev, joined: bytes) -> tuple[Rev, ...]:
    """On top of what is there, deleted or not; else a first revision, which the old one alone decides."""
    if new is None or not new.tree:
        return (Rev(1, derive(old, False, joined).digest),)
    return child(new.tree, revtree.winner(new.tree), joined, deleted=False).path


def _body(doc_id: str, document: Document) -> Body:
    """What a document says; nothing where it is gone or cannot be read."""
    held = read_bodies(doc_id, document)
    return next(
        (body for rev in revtree.live(document.tree) if (body := held.get(rev)) and _mergeable(body)), {}
    )


def _bodies(doc_id: str, document: Document) -> list[Body]:
    """All that is held of what a document ever said."""
    held = read_bodies(doc_id, document)
    return [body for rev, body in held.items() if body is not None and not document.tree[rev].deleted]


class GivenBack(NamedTuple):
    """A pledge that begins again in its old place, and the acts that are to be voided where they went."""

    body: Body
    came_over: tuple[str, ...]


class Return(NamedTuple):
    """What makes two households of one again, beside their statuses."""

    edits: tuple[Edit, ...]
    """The pledges that begin again."""
    to_void: Mapping[str, Sequence[str]]
    """The acts that came over, by the id of the pledge that they went to."""


def given_back(written: Sequence[Body], kept: Body) -> GivenBack | None:
    """What a pledge says once its household is its own again. Pure.

    `written` are all bodies that were ever written to it, `kept` the one that its acts went to. None where
    nothing that can be read was written.
    """
    mergeable = [body for body in written if _mergeable(body)]
    if not mergeable:
        return None
    own = merge.join(mergeable, POLICY["pledge", mergeable[0]["v"]])
    names = aside.taken(own, [kept]) if kept else {}
    ids = {names.get(act["id"], act["id"]): act["id"] for act in own["acts"]}
    undone = [
        {**act, "target": ids[act["target"]]}
        for act in kept.get("acts", ())
        if act.get("target") in ids and act["id"] not in ids and not of_parting(act)
    ]
    whole = {**own, "acts": sorted([*own["acts"], *undone], key=lambda act: str(act["id"]))}
    gone = {act["target"] for act in whole["acts"] if "target" in act}
    there = {act["id"] for act in kept.get("acts", ())}
    standing = {act["id"] for act in own["acts"] if "target" not in act} - gone
    came = [name for name, of in ids.items() if of in standing and name in there]
    return GivenBack(whole, tuple(came))


def voiding(act: str, by: str, at: str) -> Act:
    """What voids an act that came over, in a parting by this person.

    >>> of_parting(voiding("01J8ZQ5A000000000000000001", "office1", "2026-03-01T02:03:04Z"))
    True
    """
    said = {"at": at, "by": by, "kind": "voided", "target": act}
    return {**said, "id": aside.renamed({**said, "id": act})}


def of_parting(act: Act) -> bool:
    """Whether an act was voided since its household was parted, and not since it was a mistake."""
    return "target" in act and act["id"] == aside.renamed({**act, "id": act["target"]})


def undone(gone: Body, kept: Body) -> tuple[list[Act], list[Act]]:
    """The acts that stand in one of two pledges and would not in both together, since the two were parted
    before: those of the pledge that is carried over, and those of the one that it goes to. Pure."""
    acts = ([*gone.get("acts", ())], [*kept.get("acts", ())])
    together = _standing([*acts[0], *acts[1]]).keys()
    lost = [[act for name, act in _standing(some).items() if name not in together] for some in acts]
    return lost[0], lost[1]


def _standing(acts: Sequence[Act]) -> dict[str, Act]:
    standing = standing_acts(acts)
    return {act["id"]: act for act in acts if act["id"] in standing and "target" not in act}


class Carrier:
    """Carries over what was written to merged households of one store."""

    def __init__(self, store: DocStore, rows: Engine, clock: Clock) -> None:
        self._store = store
        self._rows = rows
        self._clock = clock

    async def carry(self, db: str) -> int:
        """Carry over every pledge of a household that was merged; how many of those it moved on.

        Asks the rows for them, so those must know of it. Raises `DatabaseMissing`, `StoreFull`.
        """
        wanted = await to_thread.run_sync(self._wanted, db)
        if not wanted:
            return 0
        documents = await self._store.read(db, {*wanted, *wanted.values()}, ends)
        done = 0
        for old_id, new_id in wanted.items():
            old = documents.get(old_id)
            if old is None or not revtree.live(old.tree):
                continue
            reviews = [f"review:{one}" for one in (old_id, new_id)]
            now = await self._store.read(db, [new_id, *reviews], ends)  # two may go into one
            new = now.get(new_id)
            if new and not revtree.live(new.tree) and moving.departures(new):
                continue  # it has left this hamlet, and this one goes after it first
            if carried := plan(old_id, old, new_id, new, now):
                into = [edit for edit in (carried.into, carried.review) if edit]
                await to_thread.run_sync(self._archive, db, into)
                if any(await self._store.graft(db, [*into, *carried.tombstones])):
                    done += 1
                else:
                    _log.error("%s: %s stays, which is to go to %s", db, old_id, new_id)
        return done

    async def give_back(self, db: str, gone: str, kept: str) -> Return:
        """How the pledges of a household begin again that is merged no more (`gone`, `kept`: ULIDs).

        Archived, not written: what begins again, what is voided and the household's status are one write.

        Raises `DatabaseMissing`.
        """
        edits: list[Edit] = []
        to_void: dict[str, Sequence[str]] = {}
        for campaign, ids in (await to_thread.run_sync(self._family, db, gone, kept)).items():
            old_id, new_id = f"{campaign}:{gone}", f"{campaign}:{kept}"
            documents = await self._store.read(db, {*ids, old_id, new_id}, lambda _id, tree: tree)
            old, new = documents.get(old_id), documents.get(new_id)
            written = await to_thread.run_sync(self._written, db, ids)
            written += [body for one in ids if one in documents for body in _bodies(one, documents[one])]
            back = given_back(written, _body(new_id, new) if new else {})
            one = old or new
            if back is None or one is None or (old and revtree.live(old.tree)):
                continue
            raw = canonical.encode(back.body)
            edits.append(Edit(old_id, _path(old, revtree.winner(one.tree), raw), raw))
            to_void[new_id] = back.came_over
        await to_thread.run_sync(self._archive, db, edits)
        return Return(tuple(edits), to_void)

    async def undone(self, db: str, gone: str, kept: str) -> dict[str, list[Act]]:
        """The acts to make anew where these households (ULIDs) become one once more, by pledge.

        Raises `DatabaseMissing`.
        """
        ids = await to_thread.run_sync(self._pledges_of, db, gone)
        pairs = {one: f"{one.rpartition(':')[0]}:{kept}" for one in ids}
        documents = await self._store.read(db, {*pairs, *pairs.values()}, ends)
        bodies = {name: _body(name, document) for name, document in documents.items()}
        found: dict[str, list[Act]] = {}
        for old_id, new_id in pairs.items():
            lost = undone(bodies.get(old_id, {}), bodies.get(new_id, {}))
            found |= {name: acts for name, acts in zip((old_id, new_id), lost, strict=True) if acts}
        return found

    def _pledges_of(self, db: str, ulid: str) -> list[str]:
        with readers(self._rows).begin() as connection:
            return archive.ids_like(connection, db, f"pledge:%:{ulid}")

    def _family(self, db: str, gone: str, kept: str) -> dict[str, set[str]]:
        """A household's pledges by campaign (`pledge:<campaign>`), and those of others that became this one:
        what came late for them went past it, to the household that was kept in the end. Where a peer has
        replicated them into the store, and they are in no archive, the pledge of that one tells."""
        here = (_pledges.c.db == db, _pledges.c.subject == kept)
        with readers(self._rows).begin() as connection:
            ulids = became(connection, db, gone)
            named = [one for ulid in ulids for one in archive.ids_like(connection, db, f"pledge:%:{ulid}")]
            named += connection.execute(select(_pledges.c.id).where(*here)).scalars()
        return {
            campaign: {f"{campaign}:{ulid}" for ulid in ulids}
            for campaign in sorted({one.rpartition(":")[0] for one in named})
        }

    def _written(self, db: str, ids: Collection[str]) -> list[Body]:
        """All that the archive has of these pledges."""
        with readers(self._rows).begin() as connection:
            found = [read_body(*one) for one in archive.all_bodies(connection, db, ids)]
        return [body for body in found if body is not None]

    def _wanted(self, db: str) -> dict[str, str]:
        """The pledges of merged households, each with where its acts belong."""
        merged = _pledges.join(
            _households, (_households.c.db == _pledges.c.db) & (_households.c.ulid == _pledges.c.subject)
        )
        asked = select(_pledges.c.id, _pledges.c.campaign, _pledges.c.subject).select_from(merged)
        here = (_pledges.c.db == db, _households.c.status == "merged_into")
        with readers(self._rows).begin() as connection:
            rows = connection.execute(asked.where(*here)).all()
            kept = aliases(connection, db, {row.subject for row in rows}) if rows else {}
        return {row.id: f"pledge:{row.campaign}:{kept[row.subject]}" for row in rows if row.subject in kept}

    def _archive(self, db: str, edits: Sequence[Edit]) -> None:
        if edits:
            with writing(self._rows) as connection:
                entries = [archive.Entry.of(db, edit, "merged") for edit in edits]
                archive.keep(connection, entries, instant(self._clock()), None)


def became(connection: Connection, db: str, ulid: str) -> set[str]:
    """A household, and those that were merged into it, one by way of another."""
    found, further = {ulid}, {ulid}
    while further:
        into = select(_households.c.ulid).where(_households.c.db == db, _households.c.into.in_(further))
        further = set(connection.execute(into).scalars()) - found
        found |= further
    return found


def aliases(connection: Connection, db: str, ulids: Collection[str]) -> Mapping[str, str]:
    """Those of these households that were merged into another, each with the one that was kept in the end."""
    into: dict[str, str] = {}
    ahead = set(ulids)
    for _ in range(CHAIN):
        further = {
            old: new for some in chunks(sorted(ahead)) for old, new in _into(connection, db, some).items()
        }
        into |= further
        ahead = set(further.values()) - into.keys()
        if not ahead:
            break
    ends = {ulid: _end(ulid, into) for ulid in ulids if ulid in into}
    return {ulid: end for ulid, end in ends.items() if end is not None}


def _end(ulid: str, into: Mapping[str, str]) -> str | None:
    """Where a chain of merges ends; None where it runs in a circle, which staff have to undo."""
    seen: set[str] = set()
    while ulid in into:
        if ulid in seen:
            return None
        seen.add(ulid)
        ulid = into[ulid]
    return ulid


def _into(connection: Connection, db: str, ulids: Collection[str]) -> dict[str, str]:
    columns = (_households.c.ulid, _households.c.into)
    merged = (_households.c.db == db, _households.c.status == "merged_into", _households.c.ulid.in_(ulids))
    return {row.ulid: row.into for row in connection.execute(select(*columns).where(*merged))}
