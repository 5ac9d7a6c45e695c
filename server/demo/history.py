"""Some weeks of the demo commune's history, as its phones and its office would have sent it. Pure.

Everything follows from the seed and the moment: ids, revisions, stamps. Two phones that had not heard of one
another are part of it; what comes of that is left to the server.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from hashlib import sha256
from random import Random
from typing import Any

from server.admission import office_device
from server.auth.grant import COMMUNE
from server.blobs import Name
from server.clock import instant, milliseconds
from server.demo import commune, names, wording
from server.demo.calls import Call, Doc, Fields, Pen
from server.demo.commune import Commune, Hamlet, Home, Ids, Person
from server.demo.registers import Registers
from server.demo.strokes import signature
from server.ulids import text
from server.words import HERE
from sync import canonical
from sync.rev import Rev
from sync.store.interface import Edit

WEEKS = 6
METHODS = ("touch", "paper_signed", "paper_thumbprint", "paper_mark")
WITNESSES = ("hamlet_head", "women", "veterans", "front", "security_team")


@dataclass(frozen=True, slots=True)
class Sent:
    """What one device brought into one database at one moment."""

    at: datetime
    person: Person
    db: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class History:
    """The commune, and what was sent, in order of time."""

    commune: Commune
    campaign: str
    sent: tuple[Sent, ...]
    pictures: Mapping[Name, bytes]
    """What the photographs in it show."""


def history(seed: int, now: datetime, households: int = commune.HOUSEHOLDS) -> History:
    """The demo up to `now`."""
    return _Writer(Random(seed), now, households).write()  # noqa: S311 - a story to be told again alike


class _Writer:
    def __init__(self, random: Random, now: datetime, households: int) -> None:
        self._random = random
        self._now = now.replace(microsecond=0)
        self._start = self._now - timedelta(weeks=WEEKS, days=1)
        self._commune = commune.commune(random, Ids(self._ulid_number(self._start)), households)
        self._people = {person.id: person for person in self._commune.people}
        self._campaign = f"antt-{self._now.astimezone(HERE).year}"
        self._docs: dict[str, Doc] = {}
        self._outbox: dict[tuple[datetime, str, str], list[Edit]] = defaultdict(list)

    def write(self) -> History:
        """All of it, in order of time."""
        self._commune_documents()
        for hamlet in self._commune.hamlets:
            for home in hamlet.homes:
                self._household(hamlet, home)
                self._story(hamlet, home)
        self._collisions()
        pen = Pen(self._stamp, self._send)
        registers = Registers(self._random, self._commune, self._campaign, self._start, pen)
        registers.write(self._docs)
        sent = (
            Sent(at, self._people[person], db, tuple(edits))
            for (at, person, db), edits in sorted(self._outbox.items(), key=lambda item: item[0])
        )
        return History(self._commune, self._campaign, tuple(sent), registers.pictures)

    # ---- The office, on the first day ---------------------------------------------------------------

    def _commune_documents(self) -> None:
        today = self._start.astimezone(HERE).date()
        # Data for the year's report is taken until 10 December (domain, [003] IV.2b).
        end = max(self._now.astimezone(HERE).date() + timedelta(days=30), today.replace(month=12, day=10))
        for hamlet in self._commune.hamlets:
            fields = {"name": hamlet.name, "kind": "thôn", "order": hamlet.order, "state": "active"}
            self._office(COMMUNE, f"hamlet:{hamlet.id}", fields)
        self._office(COMMUNE, "clauses:1", {"title": wording.CLAUSES_TITLE, "items": list(wording.CLAUSES)})
        self._office(COMMUNE, "notice:1", {"title": wording.NOTICE_TITLE, "items": list(wording.NOTICE)})
        campaign = {
            "name": f"Cam kết ANTT {self._campaign.removeprefix('antt-')}",
            "starts": today.isoformat(),
            "ends": end.isoformat(),
            "target": 90,
            "counts": ["resident", "seasonal_away"],
            "touch_counts": True,
            "clauses": 1,
            "notice": 1,
            "state": "open",
        }
        self._office(COMMUNE, f"campaign:{self._campaign}", campaign)

    def _household(self, hamlet: Hamlet, home: Home) -> None:
        since = self._start.astimezone(HERE).date().isoformat()
        fields: Fields = {
            "name": home.name,
            "order": home.order,
            "status": {"is": home.status, "since": since},
        }
        if place := {key: said for key, said in (("house", home.house), ("lane", home.lane)) if said}:
            fields["place"] = place
        self._office(hamlet.db, f"household:{home.id}", fields)

    def _office(self, db: str, doc_id: str, fields: Fields) -> None:
        doc = self._docs[doc_id] = Doc(db, doc_id)
        self._post(doc, Call(self._start, self._people[commune.ADMIN], self._start), fields)

    # ---- From door to door --------------------------------------------------------------------------

    def _story(self, hamlet: Hamlet, home: Home) -> None:
        """The calls at one household over the weeks."""
        random = self._random
        signs = random.random() < hamlet.coverage
        if home.status in ("moved", "long_absent") or (not signs and random.random() < 0.55):
            return
        meets = signs and hamlet.meeting_week is not None and random.random() < 0.35
        week = hamlet.meeting_week if meets and hamlet.meeting_week else random.randrange(WEEKS)
        person = random.choices(hamlet.walkers, (7, 3))[0]
        pledge = self._docs[self._pledge_id(home)] = Doc(hamlet.db, self._pledge_id(home))
        before = min(week, random.choices((0, 1, 2), (6, 3, 1))[0])
        for earlier in sorted(random.sample(range(week), k=before)):
            self._call_in_vain(pledge, self._call(person, earlier))
        if meets:
            self._sign_at_meeting(
                pledge, hamlet, home, Call(self._evening(hamlet, week), person, self._market(week))
            )
        elif signs:
            self._sign_at_home(pledge, home, self._call(person, week))
        else:
            self._call_in_vain(pledge, self._call(person, week))
        if signs and week < WEEKS - 1 and random.random() < 0.004:
            self._withdraw(pledge, week + 1)

    def _call_in_vain(self, pledge: Doc, call: Call) -> None:
        result = self._random.choices(("nobody_home", "come_back", "met"), (6, 3, 1))[0]
        self._act(pledge, call, [self._made(call, kind="visit", result=result)])

    def _sign_at_home(self, pledge: Doc, home: Home, call: Call) -> None:
        """Met, and signed; now and then the wrong line was tapped, so taken back and signed again."""
        acts = [self._made(call, kind="visit", result="met")]
        later = self._after(call, minutes=self._random.randint(3, 9))
        acts.append(self._signed(pledge.db, home, later, self._random.choices(METHODS, (70, 18, 9, 3))[0]))
        if self._random.random() < 0.015:
            wrong = self._after(later, minutes=1)
            acts.append(self._made(wrong, kind="voided", target=acts[-1]["id"]))
            later = self._after(wrong, minutes=2)
            acts.append(self._signed(pledge.db, home, later, "paper_signed"))
        self._act(pledge, later, acts)

    def _sign_at_meeting(self, pledge: Doc, hamlet: Hamlet, home: Home, call: Call) -> None:
        act = self._signed(hamlet.db, home, call, "paper_signed")
        day = call.at.astimezone(HERE).date().isoformat()
        act["meeting"] = {"date": day, "sheet": 1 + home.order // 250}
        self._act(pledge, call, [act])

    def _withdraw(self, pledge: Doc, week: int) -> None:
        at = self._start + timedelta(weeks=week, days=1, hours=2)
        call = Call(at, self._people[commune.REVIEWER], at)
        target = next(act["id"] for act in reversed(pledge.body["acts"]) if act["kind"] == "signed")
        self._act(pledge, call, [self._made(call, kind="withdrawn", target=target)])

    # ---- Two phones that had not heard of one another -----------------------------------------------

    def _collisions(self) -> None:
        """In the last week but one: both walkers of a hamlet at one door, and two corrections of a name."""
        week = WEEKS - 2
        for hamlet in self._commune.hamlets[::2]:
            one, other = (self._call(person, week) for person in hamlet.walkers)
            home = next(
                (h for h in hamlet.homes if h.status == "resident" and self._pledge_id(h) not in self._docs),
                None,
            )
            if home:
                name = self._pledge_id(home)
                self._act(Doc(hamlet.db, name), one, [self._made(one, kind="visit", result="nobody_home")])
                signed = self._signed(hamlet.db, home, other, "paper_signed")
                self._act(Doc(hamlet.db, name), other, [signed])
        for hamlet in self._commune.hamlets[1::4]:
            home = hamlet.homes[len(hamlet.homes) // 2]
            family = (home.name.split()[0],)
            one, other = (self._call(person, week) for person in hamlet.walkers)
            self._correct(home, one, {"name": names.person(self._random, family)})
            both = {"name": names.person(self._random, family), "place": {"lane": "Xóm Mới"}}
            self._correct(home, other, both)

    def _correct(self, home: Home, call: Call, fields: Fields) -> None:
        """A household's document, changed on the phone of one who holds it as it was imported."""
        imported = self._docs[f"household:{home.id}"]
        held = Doc(imported.db, imported.id, imported.path, dict(imported.body))
        before = held.body["stamps"]["*"]
        kept = {key: before for key in ("name", "place", "order", "status") if key in held.body}
        self._post(held, call, fields, {key: stamp for key, stamp in kept.items() if key not in fields})

    # ---- Acts and documents -------------------------------------------------------------------------

    def _made(self, call: Call, **fields: Any) -> Fields:
        """An act."""
        return {
            "id": text(self._ulid_number(call.at)),
            "at": instant(call.at),
            "by": call.person.id,
            **fields,
        }

    def _signed(self, db: str, home: Home, call: Call, method: str) -> Fields:
        random = self._random
        role = random.choices(("head", "spouse", "adult"), (82, 14, 4))[0]
        act = self._made(
            call,
            kind="signed",
            signer=home.name if role == "head" else names.person(random, home.families, women=0.8),
            role=role,
            method=method,
            assisted=method in ("paper_thumbprint", "paper_mark"),
            clauses=1,
            notice=1,
            read_aloud=random.random() < 0.9,
        )
        if act["assisted"]:
            act["witness"] = random.choice(WITNESSES)
        if method == "touch":
            strokes = signature(random)
            act["signature"] = sha256(canonical.encode(strokes)).hexdigest()
            self._post(Doc(db, f"signature:{act['signature']}"), call, {"strokes": strokes})
        return act

    def _act(self, pledge: Doc, call: Call, acts: list[Fields]) -> None:
        self._post(pledge, call, {"acts": [*pledge.body.get("acts", ()), *acts]})

    def _post(self, doc: Doc, call: Call, fields: Fields, older: dict[str, str] | None = None) -> None:
        """A revision of a document, on its way; `older` are the stamps of fields that stay as they were."""
        envelope = {"type": doc.id.partition(":")[0], "v": 1, "by": call.person.id}
        stamps = {"*": self._stamp(call), **(older or {})}
        self._send(doc, call, {**doc.body, **envelope, "stamps": stamps, **fields})

    def _stamp(self, call: Call) -> str:
        person = call.person
        device = person.phone if person.role.walks else office_device(person.id)
        return f"{milliseconds(call.at):013d}-{self._random.getrandbits(15):04x}-{device}"

    def _send(self, doc: Doc, call: Call, body: Mapping[str, Any]) -> None:
        generation = doc.path[0].generation + 1 if doc.path else 1
        doc.path = (Rev(generation, f"{self._random.getrandbits(128):032x}"), *doc.path)
        doc.body = dict(body)
        edit = Edit(doc.id, doc.path, canonical.encode(doc.body))
        self._outbox[(call.reaches, call.person.id, doc.db)].append(edit)

    def _pledge_id(self, home: Home) -> str:
        return f"pledge:{self._campaign}:{home.id}"

    # ---- Time ---------------------------------------------------------------------------------------

    def _call(self, person: Person, week: int) -> Call:
        """Sometime in a week when people are home: mornings, and after the fields."""
        random = self._random
        hour = random.choice((7, 8, 9, 10, 16, 17, 18, 19))
        clock = time(hour, random.randrange(60), random.randrange(60))
        return Call(self._at(week, random.randint(1, 6), clock), person, self._market(week))

    def _evening(self, hamlet: Hamlet, week: int) -> datetime:
        """A hamlet's meeting, of which the sheets are entered one after another."""
        at = self._at(week, 1 + hamlet.order % 6, time(19, 30))
        return at + timedelta(seconds=self._random.randrange(2400))

    def _at(self, week: int, day: int, clock: time) -> datetime:
        date = (self._start + timedelta(weeks=week, days=day)).astimezone(HERE).date()
        return datetime.combine(date, clock, HERE)

    def _market(self, week: int) -> datetime:
        """Phones meet a signal once a week, on market day."""
        return self._start + timedelta(weeks=week + 1)

    @staticmethod
    def _after(call: Call, *, minutes: int) -> Call:
        return Call(call.at + timedelta(minutes=minutes), call.person, call.reaches)

    def _ulid_number(self, at: datetime) -> int:
        return (milliseconds(at) << 80) | self._random.getrandbits(80)
