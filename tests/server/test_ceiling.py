"""A stamp that no clock can have told closes no field, be it from before such were refused."""

from datetime import timedelta

from server import floor
from server.admission import caller_of
from server.auth.grant import Role
from server.clock import milliseconds
from server.scribe import Change
from server.words import words
from sync.stamps import LATEST, Stamp
from tests.server.documents import LAN, MAI, NOW, QUAN, Doc, grant, household, pledge, visit
from tests.server.harness import Product, edit, later

DB = "hamlet-nasam"
END = 9_999_999_999_999
lan, mai, admin = grant(LAN), grant(MAI), grant(QUAN, Role.ADMIN)


def frozen(first: Doc, ms: int) -> Doc:
    doc = later(first, LAN, ms, name="ĐÓNG BĂNG")
    return doc | {"stamps": {**doc["stamps"], "*": f"{ms}-ffff-phone{LAN}"}}


async def office_names(camket: Product, doc_id: str, name: str) -> None:
    _, seen = await camket.shown(DB, doc_id)
    caller = caller_of(admin, words("vi"))
    assert await camket.scribe.write(caller, {DB: [Change(doc_id, {"name": name}, seen)]}) == 1
    assert (await camket.shown(DB, doc_id))[1]["name"] == name


async def test_while_the_servers_clock_is_wrong_nobody_writes_what_nobody_could_write_after(
    camket: Product,
) -> None:
    first = household(by=MAI)
    assert await camket.send(mai, DB, edit(first, "1-a")) == ["received"]
    camket.now -= timedelta(days=400)
    assert await camket.send(lan, DB, edit(frozen(first, END), "2-e", "1-a")) == ["clock"]
    assert await camket.send(lan, DB, edit(frozen(first, LATEST), "2-f", "1-a")) == ["received"]
    camket.now += timedelta(days=400)
    with camket.rows.begin() as rows:
        floor.confirm(rows, QUAN, camket.now)
    # the last stamp that enters closes nothing to whoever has seen it
    _, body = await camket.shown(DB, first["_id"])
    named = later(body | {"_id": first["_id"]}, MAI, LATEST + 1, name="Hoàng Thị Mỷ")
    assert await camket.send(mai, DB, edit(named, "3-b", "2-f", "1-a")) == ["received"]
    assert (await camket.shown(DB, first["_id"]))[1]["name"] == "Hoàng Thị Mỷ"
    await office_names(camket, first["_id"], "Hoàng Văn Tú")


async def test_such_a_stamp_from_before_loses_to_every_write(camket: Product) -> None:
    first = household(by=MAI)
    evil = frozen(first, END)
    await camket.store.graft(DB, [edit(first, "1-a"), edit(evil, "2-e", "1-a")])
    await camket.follower.catch_up([DB])
    assert await camket.intake.clock_is_sane(milliseconds(camket.now))
    beside = later(first, MAI, NOW + 1, name="Hoàng Mỷ")
    assert await camket.send(mai, DB, edit(beside, "2-b", "1-a")) == ["received"]
    assert (await camket.shown(DB, first["_id"]))[1]["name"] == "Hoàng Mỷ"
    upon = later(evil, MAI, NOW + 2, name="Hoàng Thị Mỷ")
    assert await camket.send(mai, DB, edit(upon, "3-b", "2-e", "1-a")) == ["received"]
    assert (await camket.shown(DB, first["_id"]))[1]["name"] == "Hoàng Thị Mỷ"
    await office_names(camket, first["_id"], "Hoàng Văn Tú")
    assert await camket.intake.clock_is_sane(milliseconds(camket.now))


async def test_the_office_writes_upon_such_a_stamp_and_goes_on_by_its_clock(camket: Product) -> None:
    evil = frozen(household(by=MAI), END)
    await camket.store.graft(DB, [edit(evil, "1-e")])
    await office_names(camket, evil["_id"], "Hoàng Văn Tú")
    _, body = await camket.shown(DB, evil["_id"])
    assert Stamp.parse(body["stamps"]["*"]).ms == NOW
    assert await camket.send(mai, DB, edit(pledge(visit(by=MAI), by=MAI), "1-p")) == ["received"]
