"""The rest of the demo commune's season: models, units, inspections, outreach, bulletins, and their reviews.

Inspections of the months before were entered from paper in the first week, as a commune that begins would.
Whatever this tells follows from the same seed as the rest.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from hashlib import sha256
from itertools import count
from random import Random
from typing import Any

import schemas
from server import review
from server.auth.grant import COMMUNE
from server.blobs import Name
from server.checklists import check, library
from server.clock import instant, milliseconds
from server.demo import drawings, told
from server.demo.calls import Call, Doc, Fields, Pen
from server.demo.commune import ADMIN, REVIEWER, Commune, Hamlet, Person
from server.ulids import text
from server.words import HERE
from sync import merge

KINDS: tuple[str, ...] = tuple(schemas.schema("common")["$defs"]["model_type"]["enum"])
STATES: tuple[str, ...] = tuple(schemas.schema("model")["properties"]["state"]["properties"]["is"]["enum"])
TOPICS = ("pccc", "atgt", "weapons", "identity", "general")
REVIEWED_WEEKS = 4
"""What reached the office in these first weeks has been looked at."""


class Registers:
    """Tells all of it, once, into the same outbox as the households' story."""

    def __init__(self, random: Random, commune: Commune, campaign: str, start: datetime, pen: Pen) -> None:
        self._random, self._commune, self._campaign = random, commune, campaign
        self._start, self._pen = start, pen
        self._people = {person.id: person for person in commune.people}
        self._numbers = count(1)
        self._today = (start + timedelta(weeks=6, days=1)).astimezone(HERE).date()
        self._checklists = library.documents()
        self.pictures: dict[Name, bytes] = {}
        """What the photographs of this story show."""

    def write(self, docs: Mapping[str, Doc]) -> None:
        """Everything; `docs` are the documents of the households' story, of which pledges are reviewed."""
        for doc_id, fields in self._checklists.items():
            self._put(Doc(COMMUNE, doc_id), self._office(ADMIN, 0), fields)
        self._next_version()
        models = list(self._models())
        made = [*self._units(), *self._inspections(models), *self._outreach()]
        self._bulletins()
        pledges = [doc for doc in docs.values() if doc.id.startswith("pledge:")]
        self._reviews([*pledges, *made])
        self._open_questions(models, made)

    # ---- The office ---------------------------------------------------------------------------------

    def _next_version(self) -> None:
        """Staff have asked one thing more since the third week; what was inspected before keeps version 1."""
        fields = self._checklists["checklist:to-lien-gia:1"]
        *others, last = fields["sections"]
        items = [*last["items"], told.ONE_ITEM_MORE]
        doc = Doc(COMMUNE, "checklist:to-lien-gia:2")
        self._put(doc, self._office(ADMIN, 3), {**fields, "sections": [*others, {**last, "items": items}]})

    def _models(self) -> Iterator[Doc]:
        """Three of every kind, every state among them."""
        for number, (kind, turn) in enumerate((kind, turn) for kind in KINDS for turn in range(3)):
            hamlet = self._commune.hamlets[number % len(self._commune.hamlets)]
            state = "active" if turn == 0 else STATES[(number + turn) % len(STATES)]
            since = self._today - timedelta(days=self._random.randint(60, 700))
            fields: Fields = {
                "kind": kind,
                "name": f"{told.MODELS[kind]} {hamlet.name if turn < 2 else 'toàn xã'}",
                "hamlets": [hamlet.id] if turn < 2 else [],
                "points": self._random.randint(1, 12),
                "groups": self._random.randint(1, 6),
                "state": {"is": state, "since": since.isoformat()},
            }
            if state != "proposed":
                decided = (since - timedelta(days=14)).isoformat()
                fields["decision"] = {"number": f"{number + 11}/QĐ-UBND", "date": decided}
            if state == "needs_strengthening":
                fields["note"] = told.NOTE
            yield self._put(Doc(COMMUNE, f"model:{self._ulid(0)}"), self._office(REVIEWER, 0), fields)

    def _bulletins(self) -> None:
        for number, (title, body, begins, days, some) in enumerate(told.BULLETINS):
            first = self._today + timedelta(days=begins)
            fields = {
                "title": title,
                "text": body,
                "from": first.isoformat(),
                "until": (first + timedelta(days=days)).isoformat(),
                "hamlets": [hamlet.id for hamlet in self._commune.hamlets[:some]],
            }
            week = 5 if begins > -14 else 2
            self._put(Doc(COMMUNE, f"bulletin:{self._ulid(number)}"), self._office(REVIEWER, week), fields)

    # ---- The field ----------------------------------------------------------------------------------

    def _units(self) -> Iterator[Doc]:
        """Agencies, enterprises and schools; most have pledged as households do."""
        since = self._today.replace(month=1, day=1).isoformat()
        for number, (name, kind, in_scope) in enumerate(told.UNITS):
            hamlet = self._commune.hamlets[number % len(self._commune.hamlets)]
            call = self._call(hamlet, number % 4)
            ulid = self._ulid(number)
            status = {"is": "active", "since": since}
            fields = {"name": name, "kind": kind, "in_scope": in_scope, "status": status}
            yield self._put(Doc(hamlet.db, f"unit:{ulid}"), call, fields)
            if number % 4 != 3:
                signed = {
                    **{"id": text(milliseconds(call.at) << 80 | number), "at": instant(call.at)},
                    **{"by": call.person.id, "kind": "signed", "signer": told.SIGNERS[number % 3]},
                    **{"role": "representative", "title": told.TITLES[kind], "method": "paper_signed"},
                    **{"assisted": False, "clauses": 1, "notice": 1, "read_aloud": True},
                }
                yield self._put(Doc(hamlet.db, f"pledge:{self._campaign}:{ulid}"), call, {"acts": [signed]})

    def _inspections(self, models: list[Doc]) -> Iterator[Doc]:
        """Up to four of each model that has a checklist: from paper in the first week, then as they came."""
        by_model = {fields["model"]: name for name, fields in self._checklists.items()}
        by_model.pop("other", None)  # that one is for agencies and enterprises
        for number, model in enumerate(models):
            if model.body["kind"] not in by_model or model.body["state"]["is"] == "proposed":
                continue
            hamlet = self._commune.hamlets[number % len(self._commune.hamlets)]
            ages = sorted(self._random.sample((150, 120, 90, 60, 45, 20, 4), k=1 + number % 4), reverse=True)
            for age in ages:
                day = self._today - timedelta(days=age)
                week = max(0, min(5, (day - self._start.astimezone(HERE).date()).days // 7))
                yield self._inspect(
                    model, by_model[model.body["kind"]], self._call(hamlet, week), hamlet, day
                )

    def _inspect(self, model: Doc, checklist: str, call: Call, hamlet: Hamlet, day: date) -> Doc:
        _, slug, version = checklist.split(":")
        values = self._answers(self._checklists[checklist])
        fields: Fields = {
            "subject": model.id,
            "date": day.isoformat(),
            "answers": {"checklist": slug, "version": int(version), "values": values},
            "photos": (photos := self._photos(self._checklists[checklist], values, hamlet)),
        }
        if self._random.random() < 0.35:
            finding, what = self._random.choice(told.FINDINGS)
            due = day + timedelta(days=self._random.choice((7, 14, 30)))
            follow_up = {"what": what, "due": due.isoformat()}
            if due < self._today and self._random.random() < 0.6:
                follow_up["done"] = due.isoformat()
            fields |= {"findings": finding, "follow_up": follow_up}
        doc = self._put(Doc(hamlet.db, f"inspection:{self._ulid(0)}"), call, fields)
        for photo in photos:
            about: Fields = {
                **{"mime": "image/webp", "bytes": len(self.pictures[Name(hamlet.id, photo["id"])])},
                **{"width": drawings.SIZE[0], "height": drawings.SIZE[1]},
                **{"inspection": doc.id.partition(":")[2], "item": photo["item"]},
            }
            self._put(Doc(f"media-{hamlet.id}", f"photo:{photo['id']}"), call, about)
        return doc

    def _photos(self, checklist: Fields, values: Fields, hamlet: Hamlet) -> list[Fields]:
        """One picture for each item that asks for some, as the entries of `photos`."""
        found: list[Fields] = []
        for item in check.applicable(checklist, values):
            if item["kind"] == "photo":
                picture = drawings.draw(checklist["model"], len(self.pictures))
                name = Name(hamlet.id, sha256(picture).hexdigest())
                self.pictures[name] = picture
                found.append({"id": name.sha256, "item": item["id"]})
        return sorted(found, key=lambda one: str(one["id"]))

    def _answers(self, checklist: Mapping[str, Any]) -> Fields:
        """Mostly good ones; only to items that apply."""
        given: Fields = {}
        for item in check.items(checklist):
            applies = any(shown["id"] == item["id"] for shown in check.applicable(checklist, given))
            if applies and item["kind"] != "photo" and (item.get("required") or self._random.random() < 0.8):
                given[item["id"]] = self._answer(item)
        return given

    def _answer(self, item: Mapping[str, Any]) -> Any:
        random, good = self._random, item.get("good", {})
        fine = random.random() < 0.8
        match item["kind"]:
            case "yes_no":
                return good.get("equals", True) is fine
            case "number":
                low, high = (
                    good.get("at_least", item["min"]),
                    min(good.get("at_most", item["max"]), item["max"]),
                )
                return random.randint(low, min(high, low + 12)) if fine else item["min"]
            case "choice":
                return random.choice(item["options"])["id"]
            case "multi":
                some = random.sample(item["options"], k=random.randint(1, len(item["options"])))
                return [option["id"] for option in some]
        return told.FAULT

    def _outreach(self) -> Iterator[Doc]:
        for number in range(14):
            hamlet = self._commune.hamlets[number % len(self._commune.hamlets)]
            call = self._call(hamlet, number % 6)
            fields: Fields = {
                "kind": "launch" if number % 3 == 0 else "drive",
                "date": call.at.astimezone(HERE).date().isoformat(),
                "place": told.PLACES[number % len(told.PLACES)].format(hamlet=hamlet.name),
                "present": self._random.randint(25, 180),
                "topics": sorted(self._random.sample(TOPICS, k=self._random.randint(1, 3))),
            }
            if number % 5 == 0:
                fields["note"] = told.OUTREACH_NOTE
            yield self._put(Doc(hamlet.db, f"outreach:{self._ulid(number)}"), call, fields)

    # ---- Review -------------------------------------------------------------------------------------

    def _reviews(self, made: list[Doc]) -> None:
        """Most of the first weeks is approved; some went back, and half of those came back corrected."""
        until = self._start + timedelta(weeks=REVIEWED_WEEKS)
        call = Call(until + timedelta(days=2), self._people[REVIEWER], until + timedelta(days=2))
        first = f"{milliseconds(until):013d}"
        looked_at = [doc for doc in made if doc.body["stamps"]["*"] < first and len(doc.path) < 9]
        for number, doc in enumerate(doc for doc in looked_at if self._people[doc.body["by"]].role.walks):
            if number % 61 == 7:
                kind = doc.body["type"]
                template, comment = told.COMMENTS[kind]
                said = {"is": "returned", "comment": comment, "template": template}
                self._decide(doc, call, said)
                if kind == "outreach" or (kind == "inspection" and number % 2):
                    self._correct(doc, kind)
            elif number % 11:
                self._decide(doc, call, {"is": "approved"})
        for kind in ("outreach", "inspection"):  # and of what was approved, one of each was changed
            changed = next(doc for doc in looked_at if doc.body["type"] == kind and len(doc.path) == 1)
            self._correct(changed, kind)

    def _decide(self, doc: Doc, call: Call, said: Fields) -> None:
        decision = {**said, "digest": review.digest(doc.body)}
        self._put(Doc(doc.db, f"review:{doc.id}"), call, {"decision": decision})

    def _correct(self, doc: Doc, kind: str) -> None:
        """The volunteer reads the comment and writes again."""
        person = self._people[doc.body["by"]]
        at = self._start + timedelta(weeks=5, hours=self._random.randint(1, 60))
        call = Call(at, person, self._start + timedelta(weeks=6))
        changed = (
            {"present": doc.body["present"] + 12} if kind == "outreach" else {"findings": told.CORRECTED}
        )
        self._put(doc, call, changed)

    def _open_questions(self, models: list[Doc], made: list[Doc]) -> None:
        """Two of the office changed one model at once; two volunteers answered one inspection differently."""
        model = next(doc for doc in models if doc.body["state"]["is"] == "active")
        since = (self._today - timedelta(days=5)).isoformat()
        for who, state in ((ADMIN, "needs_strengthening"), (REVIEWER, "ended")):
            held = Doc(model.db, model.id, model.path, dict(model.body))
            self._put(held, self._office(who, 5), {"state": {"is": state, "since": since}})
        early = f"{milliseconds(self._start + timedelta(weeks=REVIEWED_WEEKS)):013d}"
        once = [doc for doc in made if len(doc.path) == 1 and doc.body["stamps"]["*"] < early]
        inspection = [doc for doc in once if doc.body["type"] == "inspection"][-1]
        hamlet = next(one for one in self._commune.hamlets if one.db == inspection.db)
        for person, age in zip(hamlet.walkers, (5, 6), strict=False):
            at = self._start + timedelta(weeks=5, days=3, hours=age)
            held = Doc(inspection.db, inspection.id, inspection.path, dict(inspection.body))
            answers = inspection.body["answers"]
            values = self._answers(self._checklists[f"checklist:{answers['checklist']}:{answers['version']}"])
            call = Call(at, person, self._start + timedelta(weeks=6))
            self._put(held, call, {"answers": {**answers, "values": values}})

    # ---- Writing ------------------------------------------------------------------------------------

    def _put(self, doc: Doc, call: Call, fields: Mapping[str, Any]) -> Doc:
        """A write as the phone and the office make it (`sync.merge.write`)."""
        kind = doc.id.partition(":")[0]
        before = doc.body or {"type": kind, "v": schemas.version(kind)}
        body = merge.write(before, fields, self._pen.stamp(call), call.person.id, schemas.rules(kind))
        self._pen.send(doc, call, body)
        return doc

    def _office(self, who: str, week: int) -> Call:
        """A working day in the office, later than what reached it that week."""
        at = self._start + timedelta(weeks=week, hours=3 if week else 0, seconds=next(self._numbers))
        return Call(at, self._people[who], at)

    def _call(self, hamlet: Hamlet, week: int) -> Call:
        person: Person = hamlet.walkers[self._random.randrange(len(hamlet.walkers))]
        at = self._start + timedelta(
            weeks=week, days=self._random.randint(1, 5), minutes=self._random.randint(0, 600)
        )
        return Call(at, person, self._start + timedelta(weeks=week + 1))

    def _ulid(self, number: int) -> str:
        made = milliseconds(self._start) << 80 | self._random.getrandbits(79)
        return text(made + number)
