"""How every form that changes a document is saved: nobody overwrites what they have not seen.

A form carries the revision that it was opened on (`rev`). Written is only what differs from that revision,
and only where those fields still say what they said then. Where somebody else changed one of them
meanwhile, both values are shown with who wrote the other, and the person decides; `met` is then the
revision that this question showed, so a third change asks again.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select
from starlette.exceptions import HTTPException
from starlette.responses import Response

from server.admission import caller_of, office_device
from server.office import records, said
from server.office.desk import Desk
from server.office.history import instant_of, stamp_of
from server.office.places import hamlets, merged
from server.office.said import Known
from server.rows import tables
from server.rows.engine import table
from server.scribe import Change, NotTaken, Overtaken
from server.words import Words
from sync.merge import CLEARED
from sync.stamps import ALL, device_of

_archive, _devices = table(tables.Archive), table(tables.Device)


@dataclass(frozen=True, slots=True)
class Saving:
    """What a form says of a document, whole; `standing` is the revision that stands in the rows."""

    db: str
    id: str
    fields: Mapping[str, Any]
    standing: str
    back: str
    action: str
    done: str
    section: str


@dataclass(frozen=True, slots=True)
class Met:
    """A field that two people changed at the same time: what stands now and by whom, what the form says."""

    label: str
    stands: str
    who: str
    at: str
    typed: str


def differences(said: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """What of `said` a document does not say already."""
    return {name: value for name, value in said.items() if body.get(name, CLEARED) != value}


async def save(desk: Desk, saving: Saving) -> Response:
    """Write what the form changed, note it, and go on; or ask, where somebody was quicker."""

    def work(rows: Connection) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
        def body(rev: str) -> Mapping[str, Any] | None:
            return records.body_of(rows, saving.db, saving.id, rev)

        return body(desk.text("rev", 60)) or body(saving.standing), body(desk.text("met", 60))

    opened, met = await desk.read(work)
    if opened is None:
        raise HTTPException(404)
    changed = differences(saving.fields, opened)
    if not changed:
        return desk.to(saving.back, "office.flash.unchanged", kind="warn")
    change = Change(saving.id, changed, met or opened)
    try:
        await desk.parts.scribe.write(caller_of(desk.signed_in.grant, desk.words), {saving.db: [change]})
    except Overtaken as error:
        return await _ask(desk, saving, changed, error)
    except NotTaken as error:
        return desk.to(saving.back, "office.flash.refused", kind="bad", reason=error.refused[0].reason)
    await desk.noted(saving.action, f"{saving.db}/{saving.id}")
    return desk.to(saving.back, saving.done)


async def _ask(desk: Desk, saving: Saving, changed: Mapping[str, Any], error: Overtaken) -> Response:
    kind = saving.id.partition(":")[0]

    def work(rows: Connection) -> list[Met]:
        known = known_of(rows, desk.words)
        stamps = {name: stamp_of(error.body, name) or error.body["stamps"][ALL] for name in error.fields}
        writers = writers_of(rows, set(stamps.values()), desk.words)
        return [
            Met(
                label=said.name(kind, name, desk.words),
                stands=said.line(kind, name, error.body.get(name), known),
                who=writers[stamp],
                at=desk.words.time(instant_of(stamp)),
                typed=said.line(kind, name, changed[name], known),
            )
            for name, stamp in stamps.items()
        ]

    typed = [(name, value) for name, value in desk.form.multi_items() if isinstance(value, str)]
    return await desk.render(
        "met.html",
        saving.section,
        409,
        met=await desk.read(work),
        action=desk.request.url.path,
        back=saving.back,
        typed=[(name, value) for name, value in typed if name not in {"csrf", "met"}],
        seen=error.rev,
    )


def known_of(rows: Connection, words: Words) -> Known:
    """What values are read with: the names of hamlets, models, units and households, the checklists."""
    return Known(
        words,
        lambda slug, version: records.checklist_of(rows, slug, version),
        {place.id: place.name for place in (*merged(rows).values(), *hamlets(rows).values())},
        lambda doc_id: records.called(rows, doc_id),
    )


def writers_of(rows: Connection, stamps: Collection[str], words: Words) -> dict[str, str]:
    """Who made each of these writes: the author of the revision it stamped, else who holds the device."""
    names = records.people(rows)
    signed = select(_archive.c.stamp, _archive.c.by).where(_archive.c.stamp.in_(stamps))
    users = {office_device(user): user for user in names}
    users |= {row.id: row.user for row in rows.execute(select(_devices.c.id, _devices.c.user))}
    users |= {row.stamp: row.by for row in rows.execute(signed)}
    unknown = words.say("office.somebody")
    return {
        stamp: names.get(users.get(stamp) or users.get(device_of(stamp), ""), unknown) for stamp in stamps
    }
