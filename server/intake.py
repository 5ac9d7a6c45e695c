"""The way in: who may do what, what enters, what is held for a person, and what comes of a collision.

Implements the engine's hooks (`sync.hooks.ExchangeApplication`). A document that breaks a rule is that
document's outcome, with a reason in the sender's language; the rest of its batch goes on. What is accepted
is archived in one transaction of the rows before the engine grafts it, also in one.

All in one file: it is one door.
"""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import orjson
from anyio import to_thread
from sqlalchemy import Connection, Engine, or_, select, update
from starlette.requests import HTTPConnection

from schemas import newer
from server import archive, floor, ledger, quarantine, restores, strokes, superseding
from server.admission import (
    Admitted,
    Asking,
    Judge,
    Verdict,
    answer,
    asking_of,
    caller_of,
    checklists_named,
    decision,
    holds,
    refused,
)
from server.auth.bearer import Bearer
from server.auth.grant import COMMUNE
from server.batches import Batch, Read, freed, hold, look_up
from server.burying import bury
from server.clock import Clock, instant, milliseconds
from server.erasing import forget
from server.follower import Follower
from server.rows import tables
from server.rows.engine import readers, table, writing
from server.rules import well_named
from server.settle import Settler, read_body
from server.traces import Traces
from server.whereabouts import Standing, Whereabouts
from server.words import words_of
from sync import alike, exchange, revtree
from sync.alike import digested
from sync.errors import Forbidden
from sync.hooks import UNSAID, Action, Answer, Caller, Refused, Stored, Terms
from sync.merge import Body
from sync.rev import Rev
from sync.revtree import Tree
from sync.stamps import Stamp
from sync.store import names
from sync.store.interface import DatabaseMissing, Document, Edit, Store, StoreFull

_devices, _hamlets = table(tables.Device), table(tables.HamletRow)
_log = logging.getLogger(__name__)

_WAITS = exchange.Status.QUARANTINED.value

STORED_ONLY = ("signature:",)
"""Phones push these and never pull them."""


class Intake:
    """The product's rules, plugged into the engine."""

    def __init__(self, store: Store, rows: Engine, clock: Clock, bearer: Bearer, follower: Follower) -> None:
        self._store = store
        self._rows = rows
        self._clock = clock
        self._bearer = bearer
        self._follower = follower
        self._settler = Settler(store, rows, clock)
        self._traces = Traces(store, rows, clock)
        self.where = Whereabouts(store, rows)
        self._latest: int | None = None
        self._sane = True
        self._epoch: str | None = None

    # ---- who ----------------------------------------------------------------------------------------

    async def identify(self, connection: HTTPConnection) -> Caller:
        """The phone that asks. Raises `Unauthorized`, and `Forbidden` for a send-only credential."""
        return caller_of(await self._bearer.authenticate(connection), words_of(connection))

    async def authorise(self, caller: Caller, action: Action, db: str | None) -> None:
        """Phones read and write what they hold; what of it may be written, `admit` says for each document."""
        asking = asking_of(caller)
        if action is Action.ADMIN:
            raise Forbidden(asking.words.say("rule.no_administration"))
        if db is None or holds(asking.grant, db):
            return
        standing = await self.where.standing(asking.grant, db)
        if standing is Standing.LATE and action is not Action.WRITE and db not in await self._store.names():
            return  # lost by this server: that there is none here, and not that it is somebody else's
        if standing is Standing.NONE or (standing is Standing.LATE and action is not Action.WRITE):
            raise Forbidden(asking.words.say("rule.wrong_hamlet"))

    def shows(self, caller: Caller, db: str, doc_id: str) -> bool:
        """Signatures go to the office and never to a phone."""
        del caller, db
        return not doc_id.startswith(STORED_ONLY)

    async def terms(self, caller: Caller) -> Terms:
        """What an exchange tells a phone first."""
        grant = asking_of(caller).grant
        now = milliseconds(self._clock())
        user = {"id": grant.user, "name": grant.name, "role": grant.role.value}
        if self._epoch is None:
            self._epoch = await to_thread.run_sync(self._read_epoch)
        return Terms(grant.databases, user, now, await self.clock_is_sane(now), self._epoch)

    async def clock_is_sane(self, now: int) -> bool:
        """Whether the server's own clock (milliseconds) can judge others'."""
        if self._latest is None or not floor.is_sane(now, self._latest):  # an admin may have spoken since
            self._latest = await to_thread.run_sync(self._read_latest)
        sane = floor.is_sane(now, self._latest)
        if self._sane and not sane:
            _log.critical("this server's clock is wrong: set it; until then no record is judged by its time")
        self._sane = sane
        return sane

    # ---- what enters --------------------------------------------------------------------------------

    async def admit(self, caller: Caller, db: str, edits: Sequence[Edit]) -> Sequence[Answer]:
        """Check each edit before it is grafted: one answer for each, in order.

        An accepted edit comes back as it is, or with a derived child at the head of its path where it had
        left out what its nearest ancestor says. One that belongs to another hamlet by now is written there,
        and comes back as `Stored`. Raises `StoreFull`.
        """
        asking = asking_of(caller)
        well = [edit for edit in edits if well_named(edit.id, edit.path)]
        first = {(edit.id, edit.rev): edit for edit in reversed(well)}  # a name has one body
        named = [
            edit for edit in well if first[edit.id, edit.rev] is edit
        ]  # in order: they build on one another
        standing = await self.where.standing(asking.grant, db)
        places = await self.where.places(db, {edit.id: orjson.loads(edit.body) for edit in named})
        planted = await self.where.homes(db, {edit.id for edit in named} - places.keys())
        places |= {doc_id: place for doc_id, place in planted.items() if holds(asking.grant, place)}
        here = [edit for edit in named if edit.id not in places and edit.id not in planted]
        late: quarantine.Why | None = "unassigned" if standing is Standing.LATE else None
        told = await self._judged(Batch(asking, db, late=late), here)
        away = [edit for edit in named if edit.id not in places and edit.id in planted]
        late = "moved" if standing is not Standing.NONE else None
        told |= await self._judged(Batch(asking, db, late=late), away)
        for place in sorted({*places.values()}):
            going = [edit for edit in named if places.get(edit.id) == place]
            told |= await self._pass_on(asking, db, place, going, standing)
        reason = asking.words.say("rule.bad_name")

        def answered(edit: Edit) -> Answer:
            one = first.get((edit.id, edit.rev))
            answer = told.get((edit.id, edit.rev)) if one and alike.same(one.body, edit.body) else None
            return answer or refused(edit.id, edit.rev, "forbidden", reason)

        return [answered(edit) for edit in edits]

    async def _judged(self, batch: Batch, edits: Sequence[Edit]) -> dict[tuple[str, Rev], Answer]:
        """What becomes of these edits in one database; what is accepted is archived."""
        if not edits:
            return {}
        ancestors: dict[str, set[Rev]] = {}
        for edit in edits:
            ancestors.setdefault(edit.id, set()).update(edit.path)

        def choose(doc_id: str, tree: Tree) -> Collection[Rev]:
            return {*revtree.live(tree), *(ancestors[doc_id] & tree.keys())}

        documents: Mapping[str, Document] | None = None
        with suppress(DatabaseMissing):
            documents = await self._store.read(batch.db, ancestors.keys(), choose)
        sane = await self.clock_is_sane(milliseconds(self._clock()))
        held = Read(documents or {}, await self.checklists(edits), sane, documents is not None)
        answers, gone, heard = await to_thread.run_sync(self._admit, batch, edits, held)
        for touched in await self._traces.leave_beside(batch.db, heard):
            self._follower.wake(touched)
        if gone and await bury(self._store, batch.db, gone):
            await self._store.forget_bodies(batch.db, gone)
        return {(edit.id, edit.rev): answer for edit, answer in zip(edits, answers, strict=True)}

    async def _pass_on(
        self, asking: Asking, db: str, place: str, edits: Sequence[Edit], standing: Standing
    ) -> dict[tuple[str, Rev], Answer]:
        """Let edits enter where their documents are by now. Whoever might write in the old place may here."""
        judged: dict[tuple[str, Rev], Answer] = {}
        if standing is not Standing.NONE and not holds(asking.grant, place):
            may = await self.where.authorised(db, place, {edit.id for edit in edits})
            others = [edit for edit in edits if edit.id not in may]
            judged |= await self._judged(Batch(asking, place, "moved", sent_to=db), others)
            edits = [edit for edit in edits if edit.id in may]
        if standing is Standing.HOLDS:
            hamlets = asking.grant.hamlets | {place.partition("-")[2]}
            asking = replace(asking, grant=replace(asking.grant, hamlets=hamlets))
        late: quarantine.Why | None = None if holds(asking.grant, place) else "moved"
        batch = Batch(asking, place, late if standing is Standing.LATE else None, sent_to=db)
        judged |= await self._judged(batch, edits)
        entering = [one for one in judged.values() if isinstance(one, Edit)]
        waiting = {one.id for one in judged.values() if isinstance(one, Refused) and one.name == _WAITS}
        if await self._traces.point(db, place, waiting - {one.id for one in entering}):
            self._follower.wake(db)
        if not entering:
            return judged
        await self.enter(place, entering, db)
        with suppress(StoreFull):  # what comes after these is to find them
            await self._follower.catch_up([place, db])
        stored = await self._stored(asking, place, [(one.id, one.rev) for one in edits], UNSAID)
        return {key: stored.get(key, one) if isinstance(one, Edit) else one for key, one in judged.items()}

    async def _stored(
        self,
        asking: Asking,
        place: str,
        asked: Sequence[tuple[str, Rev]],
        says: Mapping[tuple[str, Rev], str],
    ) -> dict[tuple[str, Rev], Stored]:
        """The outcomes of those of these revisions that a place holds which they were not sent to."""
        trees = await self._store.trees(place, {doc_id for doc_id, _ in asked})
        accepted = partial(self._accepted_there, place)
        told = {one: says[one] for one in asked if one in says}
        bare = {
            *await names.untold(self._store, place, asked, trees, accepted),
            *await names.unlike(self._store, place, told, accepted),
        }
        name = await to_thread.run_sync(self._name_of, place.partition("-")[2])
        reason = asking.words.say("rule.moved_on", hamlet=name)
        return {
            (doc_id, rev): Stored(doc_id, str(rev), exchange.outcome_of(doc_id, rev, tree).status, reason)
            for doc_id, rev in asked
            if rev in (tree := trees.get(doc_id, {})) and (doc_id, rev) not in bare
        }

    async def enter(self, place: str, edits: Sequence[Edit], sent_to: str) -> None:
        """Write edits, which are archived already, where their documents belong by now; one that never was
        where it was sent to leaves a trace there (`server.moving`). Raises `StoreFull`."""
        traces = await self._traces.beside(place, edits)
        traces |= {sent_to: some} if (some := await self._traces.of(sent_to, place, edits)) else {}
        await self._store.graft_all({place: edits, **traces})
        await self.observe(place, {edit.id for edit in edits})
        for db in {sent_to, *traces}:
            self._follower.wake(db)

    async def observe(self, db: str, doc_ids: Collection[str]) -> None:
        """Merge what collided among these documents, then let the follower know.

        What came is on disk already: where the disk is full now, the follower merges it later.
        """
        with suppress(StoreFull):
            await self._settler.settle(db, doc_ids)
        self._follower.wake(db)

    async def outcomes(
        self,
        caller: Caller,
        db: str,
        asked: Sequence[tuple[str, Rev]],
        says: Mapping[tuple[str, Rev], str] = UNSAID,
    ) -> Sequence[Refused | Stored | None]:
        """What became of revisions that the store does not hold; None where it has never had them."""
        asking = asking_of(caller)
        answers: list[Refused | Stored | None] = [
            *await to_thread.run_sync(self._outcomes, asking, db, asked, says)
        ]
        unknown = (key[0] for key, one in zip(asked, answers, strict=True) if one is None)
        left: dict[str, dict[str, Any]] = {doc_id: {} for doc_id in unknown if well_named(doc_id)}
        places = await self.where.places(db, left) if left else {}
        for place in sorted({*places.values()}):
            there = [one for one in asked if places.get(one[0]) == place]
            said = await to_thread.run_sync(self._outcomes, asking, place, there, says)
            found: dict[tuple[str, Rev], Refused | Stored | None] = dict(zip(there, said, strict=True))
            found |= await self._stored(asking, place, there, says)
            answers = [one or found.get(key) for key, one in zip(asked, answers, strict=True)]
        if None in answers and asking.grant.device:
            await to_thread.run_sync(self._note_recovering, asking.grant.device)
        return answers

    async def withheld(
        self, caller: Caller, db: str, says: Mapping[tuple[str, Rev], str]
    ) -> Mapping[tuple[str, Rev], Refused]:
        """What the caller has said by names of which something else is here, and waits or was sent away."""
        return await to_thread.run_sync(self._withheld, asking_of(caller), db, says)

    async def accepted(
        self, caller: Caller, db: str, named: Collection[tuple[str, Rev]]
    ) -> Mapping[tuple[str, Rev], bytes]:
        """Of revisions that a tree names and whose bodies the store has not, those that are archived here."""
        del caller
        return await self._accepted_there(db, named)

    async def _accepted_there(
        self, db: str, named: Collection[tuple[str, Rev]]
    ) -> Mapping[tuple[str, Rev], bytes]:
        def work() -> Mapping[tuple[str, Rev], bytes]:
            with readers(self._rows).begin() as connection:
                return archive.bodies(connection, db, named)

        return await to_thread.run_sync(work)

    async def hears(self, caller: Caller, dbs: Collection[str]) -> Collection[str]:
        """Of databases that are not the caller's: those that were once, or are part of one that is."""
        grant = asking_of(caller).grant
        return {db for db in dbs if await self.where.standing(grant, db) is not Standing.NONE}

    async def checklists(self, edits: Sequence[Edit]) -> dict[str, Body]:
        """The checklists that a batch of inspections names, those that are held here."""
        wanted = checklists_named(edits)
        if not wanted:
            return {}
        with suppress(DatabaseMissing):
            found = await self._store.read(COMMUNE, wanted, lambda _id, tree: revtree.live(tree)[:1])
            return {
                name: body
                for name, document in found.items()
                for held in document.bodies.values()
                if (body := read_body(name, held.json)) is not None and not newer(body)
            }
        return {}

    # ---- in threads ---------------------------------------------------------------------------------

    def _read_epoch(self) -> str:
        with readers(self._rows).begin() as connection:
            return restores.epoch(connection)

    def _read_latest(self) -> int:
        with readers(self._rows).begin() as connection:
            return floor.latest(connection)

    def _outcomes(
        self,
        asking: Asking,
        db: str,
        asked: Sequence[tuple[str, Rev]],
        says: Mapping[tuple[str, Rev], str],
    ) -> list[Refused | None]:
        words, named = asking.words, [one for one in asked if well_named(one[0], one[1:])]

        def is_unlike(found: quarantine.Decided, said: str | None) -> bool:
            return said is not None and digested(found.body) != said

        with readers(self._rows).begin() as connection:
            erased = ledger.erased(connection, {doc_id for doc_id, _ in named})
            decided = {**quarantine.decided(connection, db, named)}
            # Of somebody else's words by the caller's names that was decided, and of no others.
            unlike = {key: says[key] for key, one in decided.items() if is_unlike(one, says.get(key))}
            apart = quarantine.apart(connection, db, unlike, asking.grant.device)
        decided = {**{key: one for key, one in decided.items() if key not in unlike}, **apart}

        def is_wanted(found: quarantine.Decided) -> bool:
            """Whether to ask for it: the phone is confirmed by now; or others' copy was decided about, which
            may have said something else, or waits where its author can send it, who needs no decision."""
            if found.of_other(asking.grant.device):
                is_own = orjson.loads(found.body).get("by") == asking.grant.user
                return found.why in {"recovered", "stranger"} and (is_own or found.state != "waiting")
            return (found.why, found.state) == ("stranger", "waiting")

        def outcome(doc_id: str, rev: Rev) -> Refused | None:
            if doc_id in erased:
                return refused(doc_id, rev, "erased", words.say("rule.erased"))
            found = decided.get((doc_id, rev))
            return decision(doc_id, rev, found, words) if found and not is_wanted(found) else None

        return [outcome(doc_id, rev) for doc_id, rev in asked]

    def _withheld(
        self, asking: Asking, db: str, says: Mapping[tuple[str, Rev], str]
    ) -> dict[tuple[str, Rev], Refused]:
        with readers(self._rows).begin() as connection:
            apart = quarantine.apart(connection, db, says, asking.grant.device)
        return {key: decision(*key, one, asking.words) for key, one in apart.items()}

    def _note_recovering(self, device: str) -> None:
        """This phone has what the server has not: where that was restored, it may for a while give back other
        people's work. It may have been asked before anybody said so (`camket restore --by-hand`)."""
        now = self._clock()
        long_ago = or_(
            _devices.c.recovering_at.is_(None), _devices.c.recovering_at < instant(now - timedelta(hours=1))
        )
        with writing(self._rows) as connection:
            note = update(_devices).where(_devices.c.id == device, long_ago)
            connection.execute(note.values(recovering_at=instant(now)))

    def _name_of(self, hamlet: str) -> str:
        with readers(self._rows).begin() as connection:
            found = connection.execute(
                select(_hamlets.c.kind, _hamlets.c.name).where(_hamlets.c.hamlet == hamlet)
            ).one_or_none()
        return f"{found.kind} {found.name}" if found else hamlet

    def _admit(
        self, batch: Batch, edits: Sequence[Edit], held: Read
    ) -> tuple[list[Answer], Collection[str], list[Edit]]:
        """What becomes of each edit, the strokes that are erased with a pledge that comes too late, and what
        enters of which a copy had waited."""
        now, asking, db = self._clock(), batch.asking, batch.db
        with writing(self._rows) as connection:
            known = look_up(connection, batch, edits, held, now=now)
            judge = Judge(asking, db, known, milliseconds(now) if held.sane else None, batch.late)
            verdicts = freed(connection, db, [(edit, judge.verdict(edit)) for edit in edits], held)
            entries = [entry for one in verdicts if isinstance(one, Admitted) for entry in one.entries]
            stamp = archive.keep(connection, entries, instant(now), asking.grant.user, whole=True)
            verdicts = hold(connection, batch, verdicts, held, at=instant(now))
            entering = [one.edit for one in verdicts if isinstance(one, Admitted) and one.entries]
            sent = {
                (edit.id, name): edit.body
                for edit, one in zip(edits, verdicts, strict=True)
                if isinstance(one, Admitted) and one.entries
                for name in (edit.rev, quarantine.apart_as(edit.rev, edit.body))
                if (edit.id, name) in known.decided
            }
            for place in batch.places:
                quarantine.entered(connection, place, sent, asking.grant.user, superseding.covers)
            superseding.close(connection, db, batch.places, entering, asking.grant.user, now=now)
            gone = self._forget_late(connection, batch, zip(edits, verdicts, strict=True), instant(now))
        if stamp:
            self._latest = max(self._latest or 0, Stamp.parse(stamp).ms)
        waited = {doc_id for doc_id, _ in sent}
        heard = [one for one in entering if one.id in waited]
        return [answer(one, asking.words) for one in verdicts], gone, heard

    def _forget_late(
        self, connection: Connection, batch: Batch, judged: Iterable[tuple[Edit, Verdict]], at: str
    ) -> Collection[str]:
        """A pledge that comes after its household was erased is all that tells whose its strokes are."""
        asking = batch.asking
        if asking.stranger or not asking.grant.live:
            return ()
        late = [edit for edit, one in judged if isinstance(one, Refused) and one.name == "erased"]
        gone = strokes.go_with(connection, batch.db, asking.grant.user, late, at)
        ledger.note_erased(connection, batch.db, gone, at, asking.grant.user)
        forget(connection, batch.db, gone)
        return gone
