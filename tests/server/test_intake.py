"""What becomes of what is sent: told over the real store, as the engine calls the hooks.

All in one file: one door, one place to read what passes it.
"""

import sqlite3
from pathlib import Path

import orjson
import pytest
from sqlalchemy import event, insert

from server import restores
from server.admission import caller_of
from server.release import Warden
from server.rows import tables
from server.rows.engine import table
from server.words import words
from sync import canonical
from sync.errors import Forbidden
from sync.exchange import digest
from sync.hooks import Action
from sync.rev import Rev
from sync.store.interface import Edit, StoreFull
from tests.server.documents import (
    HOUSEHOLD,
    LAN,
    MAI,
    NOW,
    SECOND,
    THIRD,
    THU,
    Doc,
    grant,
    household,
    pledge,
    signature,
    signed,
    stamp,
    visit,
)
from tests.server.harness import Product, edit, later, product, restored, revoked

DB = "hamlet-nasam"
HOUR = 3_600_000
lan, mai = grant(LAN), grant(MAI)


# ---- Who may ask for what -------------------------------------------------------------------------------


async def test_a_phone_reads_and_writes_its_hamlet_and_the_shared_database(camket: Product) -> None:
    caller = caller_of(lan, words("vi"))
    for db in (DB, "media-nasam", "commune", None):
        await camket.intake.authorise(caller, Action.READ, db)
        await camket.intake.authorise(caller, Action.WRITE, db)


@pytest.mark.parametrize(
    ("action", "db"),
    [
        (Action.READ, "hamlet-bankhu"),
        (Action.WRITE, "hamlet-bankhu"),
        (Action.READ, "users"),
        (Action.ADMIN, DB),
    ],
)
async def test_another_hamlet_is_forbidden_in_the_readers_language(
    camket: Product, action: Action, db: str
) -> None:
    reasons = set()
    for lang in ("vi", "en"):
        with pytest.raises(Forbidden) as told:
            await camket.intake.authorise(caller_of(lan, words(lang)), action, db)
        reasons.add(told.value.reason)
    assert len(reasons) == 2


async def test_signatures_are_never_shown_to_a_phone(camket: Product) -> None:
    caller = caller_of(lan, words("vi"))
    assert not camket.intake.shows(caller, DB, signature()["_id"])
    assert camket.intake.shows(caller, DB, household()["_id"])


async def test_an_exchange_is_told_what_the_caller_holds(camket: Product) -> None:
    terms = await camket.intake.terms(caller_of(lan, words("vi")))
    assert terms.dbs == ("commune", DB)
    assert terms.user == {"id": LAN, "name": "Lan01", "role": "volunteer"}
    assert terms.clock == NOW
    assert terms.trusted


# ---- What enters ----------------------------------------------------------------------------------------


async def test_what_is_accepted_is_archived_word_for_word(camket: Product) -> None:
    sent = edit(household(), "1-a")
    assert await camket.send(lan, DB, sent) == ["received"]
    (kept,) = camket.all(tables.Archive)
    assert kept["body"] == sent.body
    assert (kept["db"], kept["id"], kept["rev"], kept["parent"]) == (DB, sent.id, "1-a", None)
    assert (kept["by"], kept["entered_by"], kept["source"]) == (LAN, LAN, "sent")


async def test_a_batch_goes_on_after_a_document_that_breaks_a_rule(camket: Product) -> None:
    outcomes = await camket.send(
        lan,
        DB,
        edit(household(), "1-a"),
        edit(pledge(visit(by=MAI)), "1-b"),
        edit(household("01J8ZQ4T6N3VXK2M5R7W9Y0ABE", at=NOW + HOUR), "1-c"),
        edit(signature(), "1-d"),
    )
    assert outcomes == ["received", "forbidden", "clock", "received"]
    assert {row["rev"] for row in camket.all(tables.Archive)} == {"1-a", "1-d"}


async def test_what_is_sent_twice_is_received_twice_and_kept_once(camket: Product) -> None:
    for _ in range(2):
        assert await camket.send(lan, DB, edit(household(), "1-a")) == ["received"]
    assert len(camket.all(tables.Archive)) == 1


async def test_one_name_has_one_body(camket: Product) -> None:
    await camket.send(grant(), DB, edit(household(name="Một"), "1-a"), edit(household(name="Hai"), "1-a"))
    _, body = await camket.shown(DB, household()["_id"])
    (kept,) = camket.all(tables.Archive)
    assert (body["name"], orjson.loads(kept["body"])["name"]) == ("Một", "Một")


async def test_a_form_opened_before_a_sync_undoes_nothing(camket: Product) -> None:
    await camket.send(lan, DB, edit(pledge(visit()), "1-a"))
    forgot = pledge(signed(), at=NOW + 1000)
    assert await camket.send(lan, DB, edit(forgot, "2-b", "1-a")) == ["received"]
    ((winner, body),) = [await camket.shown(DB, forgot["_id"])]
    assert [act["kind"] for act in body["acts"]] == ["visit", "signed"]
    assert winner.generation == 3
    assert {row["rev"]: row["source"] for row in camket.all(tables.Archive)} == {
        "1-a": "sent",
        "2-b": "sent",
        str(winner): "derived",
    }


async def test_an_old_value_does_not_come_back_through_a_form_that_did_not_touch_it(camket: Product) -> None:
    first = household()
    renamed = later(first, MAI, NOW + 1000, name="Hoàng Văn Tú")
    moved_up = later(first, LAN, NOW + 2000, order=3)
    await camket.send(lan, DB, edit(first, "1-a"))
    await camket.send(mai, DB, edit(renamed, "2-b", "1-a"))
    await camket.send(lan, DB, edit(moved_up, "2-c", "1-a"))
    _, body = await camket.shown(DB, first["_id"])
    assert (body["name"], body["order"]) == ("Hoàng Văn Tú", 3)


@pytest.mark.parametrize("compacted", [False, True])
async def test_a_record_on_top_of_unsent_ones_is_judged_by_the_nearest_ancestor_held(
    camket: Product, compacted: bool
) -> None:
    """Mai changes Lan's household twice without a signal, and only the second revision travels; meanwhile Lan
    has changed every field, so that nothing live carries the stamps any more which Mai's form has kept."""
    first = household()
    anew = {"name": "Hoàng Văn Tú", "order": 4, "status": {"is": "long_absent", "since": "2026-02-01"}}
    await camket.send(lan, DB, edit(first, "1-a"))
    await camket.send(lan, DB, edit(later(first, LAN, NOW + 1000, **anew), "2-b", "1-a"))
    if compacted:
        await camket.store.compact(DB)
    unsent = later(first, MAI, NOW + 2000, place={"lane": "Ngõ 2"})
    sent = edit(later(unsent, MAI, NOW + 3000, order=9), "3-d", "2-c", "1-a")
    assert await camket.send(mai, DB, sent) == ["received"]
    _, body = await camket.shown(DB, sent.id)
    assert (body["name"], body["order"], body["place"]) == ("Hoàng Văn Tú", 9, {"lane": "Ngõ 2"})


async def test_a_parent_that_compaction_dropped_is_read_from_the_archive(camket: Product) -> None:
    first = household()
    anew = {"name": "Hoàng Văn Tú", "order": 4, "status": {"is": "long_absent", "since": "2026-02-01"}}
    await camket.send(lan, DB, edit(first, "1-a"))
    await camket.send(mai, DB, edit(later(first, MAI, NOW + 1000, **anew), "2-b", "1-a"))
    await camket.store.compact(DB)
    # Only the archive still knows of Lan's stamps, which Thu's form has kept.
    late = edit(later(first, THU, NOW + 2000, order=9), "2-c", "1-a")
    assert await camket.send(grant(THU), DB, late) == ["received"]
    _, body = await camket.shown(DB, late.id)
    assert (body["name"], body["order"]) == ("Hoàng Văn Tú", 9)


@pytest.mark.parametrize("doc", [household(), pledge(signed())], ids=["household", "pledge"])
async def test_what_a_newer_app_wrote_is_held_whole_and_shown_to_nobody(camket: Product, doc: Doc) -> None:
    await camket.send(lan, DB, edit(doc, "1-a"))
    newer = doc | {"v": 2, "by": MAI, "stamps": {"*": stamp(MAI, NOW + 1000)}, "remark": "?"}
    for _ in range(2):  # the answer may be lost
        assert await camket.send(mai, DB, edit(newer, "2-b", "1-a")) == ["quarantined"]
    rev, body = await camket.shown(DB, doc["_id"])
    assert (str(rev), "remark" in body) == ("1-a", False)
    (held,) = camket.all(tables.Quarantine)
    assert (held["why"], held["state"], held["path"]) == ("newer", "waiting", ["2-b", "1-a"])
    assert orjson.loads(held["body"])["remark"] == "?"


async def test_an_older_app_that_goes_on_upon_a_newer_ones_record_does_not_close_it(camket: Product) -> None:
    first = household()
    await camket.send(lan, DB, edit(first, "1-a"))
    await camket.send(lan, DB, edit(first | {"v": 2, "stamps": {"*": stamp(LAN, NOW + 1)}}, "2-b", "1-a"))
    after = edit(later(first, LAN, NOW + 1000, order=7), "3-c", "2-b", "1-a")
    assert await camket.send(lan, DB, after) == ["received"]
    assert [row["state"] for row in camket.all(tables.Quarantine)] == ["waiting"]


# ---- Collisions -----------------------------------------------------------------------------------------


async def test_two_phones_that_collide_get_one_result_and_the_history_shows_both(camket: Product) -> None:
    first = household()
    await camket.send(lan, DB, edit(first, "1-a"))
    await camket.send(lan, DB, edit(later(first, LAN, NOW + 1000, name="Hoàng Thị Mỵ"), "2-b", "1-a"))
    await camket.send(mai, DB, edit(later(first, MAI, NOW + 2000, place={"lane": "Xóm trên"}), "2-c", "1-a"))
    (one,) = await camket.live(DB, first["_id"])
    _, body = await camket.shown(DB, first["_id"])
    assert (body["name"], body["place"]) == ("Hoàng Thị Mỵ", {"lane": "Xóm trên"})
    assert body["by"] == MAI
    assert {(row["rev"], row["by"]) for row in camket.all(tables.Archive)} == {
        ("1-a", LAN),
        ("2-b", LAN),
        ("2-c", MAI),
        (str(one), MAI),
    }


async def test_two_volunteers_who_never_met_pledge_the_same_household_once(camket: Product) -> None:
    await camket.send(lan, DB, edit(pledge(signed()), "1-a"))
    await camket.send(mai, DB, edit(pledge(visit(by=MAI), by=MAI), "1-b"))
    assert len(await camket.live(DB, pledge()["_id"])) == 1
    _, body = await camket.shown(DB, pledge()["_id"])
    assert {act["by"] for act in body["acts"]} == {LAN, MAI}


async def test_the_order_of_arrival_does_not_matter(tmp_path: Path) -> None:
    first = household()
    edits = [
        edit(first, "1-a"),
        edit(later(first, LAN, NOW + 1000, name="Hoàng Thị Mỵ"), "2-b", "1-a"),
        edit(later(first, LAN, NOW + 2000, order=7), "2-c", "1-a"),
    ]
    results = set()
    for number, order in enumerate([(0, 1, 2), (0, 2, 1), (1, 0, 2), (2, 1, 0)]):
        async with product(tmp_path / str(number), [DB]) as camket:
            for place in order:
                await camket.send(lan, DB, edits[place])
            rev, body = await camket.shown(DB, first["_id"])
            results.add((rev, canonical.encode(body)))
    assert len(results) == 1


# ---- What is held for a person --------------------------------------------------------------------------


async def test_what_a_revoked_phone_hands_in_waits_for_a_person(camket: Product) -> None:
    sent = edit(household(), "1-a")
    assert await camket.send(revoked(lan), DB, sent) == ["quarantined"]
    assert await camket.store.trees(DB, [sent.id]) == {}
    (held,) = camket.all(tables.Quarantine)
    assert (held["why"], held["state"], held["path"], held["body"]) == (
        "revoked",
        "waiting",
        ["1-a"],
        sent.body,
    )
    # sent again, now by anybody: it still waits, once
    assert await camket.send(lan, DB, sent) == ["quarantined"]
    assert len(camket.all(tables.Quarantine)) == 1


async def test_a_sealed_record_of_a_wrong_clock_waits_with_its_skew(camket: Product) -> None:
    sent = edit(household(at=NOW + 24 * HOUR), "1-a")
    assert await camket.send(lan, DB, sent, skew_ms=-24 * HOUR) == ["quarantined"]
    (held,) = camket.all(tables.Quarantine)
    assert (held["why"], held["skew_ms"], held["device"]) == ("clock", -24 * HOUR, lan.device)


async def test_records_that_wait_are_numbered_in_the_order_in_which_they_came(camket: Product) -> None:
    first, second = edit(pledge(visit()), "1-a"), edit(pledge(visit(), signed()), "2-b", "1-a")
    await camket.send(revoked(grant()), DB, first, second)
    waiting = sorted(camket.all(tables.Quarantine), key=lambda row: row["number"])
    assert [row["rev"] for row in waiting] == ["1-a", "2-b"]


async def test_what_breaks_a_rule_does_not_even_wait(camket: Product) -> None:
    assert await camket.send(revoked(lan), DB, edit(household(name=""), "1-a")) == ["forbidden"]
    assert camket.all(tables.Quarantine) == []


async def test_the_waiting_list_is_told_what_was_decided(camket: Product) -> None:
    sent = edit(household(), "1-a")
    await camket.send(revoked(lan), DB, sent)
    caller = caller_of(lan, words("vi"))
    asked = [(sent.id, Rev(1, "a")), (sent.id, Rev(1, "never"))]
    waiting, unknown = await camket.intake.outcomes(caller, DB, asked)
    assert waiting is not None
    assert waiting.name == "quarantined"
    assert unknown is None


async def test_an_erased_document_is_answered_erased_for_good(camket: Product) -> None:
    sent = edit(household(), "1-a")
    with camket.rows.begin() as connection:
        row = {"kind": "erased", "db": DB, "id": sent.id, "at": "2026-01-01T00:00:00Z", "by": THU}
        connection.execute(insert(table(tables.Ledger)), row)
    assert await camket.send(lan, DB, sent) == ["erased"]
    (told,) = await camket.intake.outcomes(caller_of(lan, words("vi")), DB, [(sent.id, sent.rev)])
    assert told is not None
    assert told.name == "erased"
    assert camket.all(tables.Archive) == []


# ---- Refused whole --------------------------------------------------------------------------------------


async def test_phones_delete_nothing(camket: Product) -> None:
    await camket.send(lan, DB, edit(household(), "1-a"))
    for said in ({"_id": household()["_id"]}, household(at=NOW + 1)):
        gone = edit(said, "2-b", "1-a", deleted=True)
        assert await camket.send(lan, DB, gone) == ["forbidden"]
    assert await camket.live(DB, gone.id) == [Rev(1, "a")]


async def test_another_hamlets_document_and_a_forged_author_are_forbidden(camket: Product) -> None:
    await camket.store.create("hamlet-bankhu")
    assert await camket.send(lan, "hamlet-bankhu", edit(household(), "1-a")) == ["forbidden"]
    assert await camket.send(lan, DB, edit(household(by=MAI), "1-a")) == ["forbidden"]
    assert camket.all(tables.Archive) == []


async def test_a_stamp_of_an_own_earlier_phone_is_an_own_stamp(camket: Product) -> None:
    with camket.rows.begin() as connection:
        at = "2026-01-01T00:00:00Z"
        connection.execute(
            insert(table(tables.User)), {"id": LAN, "name": "L", "role": "volunteer", "created_at": at}
        )
        phone = {"id": "oldphone1", "user": LAN, "name": "", "credential": "", "send": "", "created_at": at}
        connection.execute(insert(table(tables.Device)), phone)
    doc = household() | {"stamps": {"*": f"{NOW}-0000-oldphone1"}}
    assert await camket.send(lan, DB, edit(doc, "1-a")) == ["received"]
    assert await camket.send(mai, DB, edit(doc | {"by": MAI}, "1-b")) == ["forbidden"]


async def test_a_server_with_a_dead_battery_refuses_nothing_for_time(camket: Product) -> None:
    await camket.send(lan, DB, edit(household(), "1-a"))
    camket.now = camket.now.replace(year=2020)
    assert not (await camket.intake.terms(caller_of(lan, words("vi")))).trusted
    doc = later(household(), LAN, NOW + HOUR, order=2)
    assert await camket.send(lan, DB, edit(doc, "2-b", "1-a")) == ["received"]


async def test_a_reason_names_the_place(camket: Product) -> None:
    caller = caller_of(lan, words("en"))
    (answer,) = await camket.intake.admit(caller, DB, [edit(household(order=-1), "1-a")])
    assert "“order”" in str(answer)


async def test_bodies_stay_as_they_were_sent(camket: Product) -> None:
    await camket.send(lan, DB, edit(household(), "1-a"))
    _, body = await camket.shown(DB, f"household:{HOUSEHOLD}")
    assert body == {name: value for name, value in household().items() if name != "_id"}
    assert orjson.loads(camket.all(tables.Archive)[0]["body"]) == body


# ---- A server that has lost something -------------------------------------------------------------------


def enrol(camket: Product, *phones: tuple[str, str]) -> None:
    at = "2026-01-01T00:00:00Z"
    with camket.rows.begin() as connection:
        for user, device in phones:
            person = {"id": user, "name": user, "role": "volunteer", "created_at": at}
            connection.execute(insert(table(tables.User)), person)
            phone = {"id": device, "user": user, "name": "", "credential": "", "send": "", "created_at": at}
            connection.execute(insert(table(tables.Device)), phone)


async def test_a_phone_gives_back_other_peoples_work_and_it_waits_for_its_author(camket: Product) -> None:
    enrol(camket, (LAN, "phonelan01"), (MAI, "phonemai02"))
    of_mai = edit(household(by=MAI), "1-m")
    assert await camket.send(lan, DB, of_mai) == ["forbidden"]  # nobody asked for it
    named = [(of_mai.id, of_mai.rev)]
    assert await camket.intake.outcomes(caller_of(lan, words("vi")), DB, named) == [None]
    assert await camket.send(lan, DB, of_mai) == ["forbidden"], "no phone opens this by itself"
    restored(camket.rows, camket.now)
    assert await camket.intake.outcomes(caller_of(lan, words("vi")), DB, named) == [None]
    assert await camket.send(lan, DB, of_mai, edit(pledge(visit()), "1-l")) == ["quarantined", "received"]
    assert [row["why"] for row in camket.all(tables.Quarantine)] == ["recovered"]
    (told,) = await camket.intake.outcomes(caller_of(lan, words("vi")), DB, named)
    assert told
    assert told.name == "quarantined"
    assert await camket.intake.outcomes(caller_of(mai, words("vi")), DB, named) == [None], "it is asked for"
    assert await camket.send(mai, DB, of_mai) == ["received"]
    assert [row["state"] for row in camket.all(tables.Quarantine)] == ["released"]
    assert await camket.send(lan, DB, of_mai) == ["received"]


async def test_what_a_peer_has_brought_by_name_alone_waits_when_a_phone_gives_it_back(
    camket: Product,
) -> None:
    """The phone was at the peer: of what came from there this server asks for the words that it lacks."""
    enrol(camket, (LAN, "phonelan01"), (MAI, "phonemai02"))
    first, last = household(by=MAI), household(by=MAI, order=7, at=NOW + 1000)
    await camket.store.graft(DB, [edit(last, "2-n", "1-m")])
    named = [(first["_id"], Rev.parse("1-m"))]
    assert await camket.intake.outcomes(caller_of(lan, words("vi")), DB, named) == [None]  # it is asked for
    assert await camket.send(lan, DB, edit(first, "1-x")) == ["forbidden"], "no peer has named this"
    assert await camket.send(lan, DB, edit(first, "1-m")) == ["quarantined"]
    assert await camket.send(mai, DB, edit(first, "1-m")) == ["received"]
    assert [row["state"] for row in camket.all(tables.Quarantine)] == ["released"]
    assert (await camket.shown(DB, first["_id"]))[1]["order"] == 7


async def test_a_record_upon_what_another_has_named_alone_waits_and_is_not_refused(camket: Product) -> None:
    """Nobody has told this server yet what Lan's record keeps of it."""
    enrol(camket, (LAN, "phonelan01"), (MAI, "phonemai02"))
    first, last = household(by=MAI), household(by=MAI, name="Lý Văn Năm", at=NOW + 1000)
    upon = later(first, LAN, NOW + 2000, order=7)
    assert await camket.send(mai, DB, edit(last, "2-n", "1-m")) == ["received"]
    assert await camket.send(lan, DB, edit(upon, "2-l", "1-x")) == ["forbidden"], "nobody has named this"
    assert await camket.send(lan, DB, edit(upon, "2-l", "1-m")) == ["quarantined"]
    assert await camket.send(mai, DB, edit(first, "1-m")) == ["received"]
    assert await camket.send(lan, DB, edit(upon, "2-l", "1-m")) == ["received"]


async def test_a_copy_that_was_asked_for_before_it_was_said_that_files_were_put_back_waits(
    camket: Product,
) -> None:
    enrol(camket, (LAN, "phonelan01"), (MAI, "phonemai02"))
    of_mai = edit(household(by=MAI), "1-m")
    named = [(of_mai.id, of_mai.rev)]
    assert await camket.intake.outcomes(caller_of(lan, words("vi")), DB, named) == [None]  # it is asked for
    camket.now += 2 * restores.RECOVERY
    restored(camket.rows, camket.now)
    assert await camket.send(lan, DB, of_mai) == ["quarantined"]


async def test_a_record_upon_work_that_a_restored_server_has_lost_waits_and_is_not_refused(
    camket: Product,
) -> None:
    enrol(camket, (LAN, "phonelan01"), (MAI, "phonemai02"))
    first = edit(pledge(visit(by=MAI), by=MAI), "1-m")
    upon = edit(pledge(visit(by=MAI), visit(SECOND)), "2-l", "1-m")
    assert await camket.send(lan, DB, upon) == ["forbidden"], "nothing was lost here"
    restored(camket.rows, camket.now)
    upon = edit(pledge(visit(by=MAI), visit(SECOND)), "2-x", "1-m")
    assert await camket.send(lan, DB, upon) == ["quarantined"]
    assert await camket.send(mai, DB, first) == ["received"]
    assert await camket.send(lan, DB, upon) == ["received"]
    assert await camket.send(lan, DB, edit(pledge(visit(by=MAI), visit(THIRD, by=MAI)), "2-z", "1-m")) == [
        "forbidden"
    ], "what it stands on is here: nobody else's act is new"


async def test_a_revision_that_only_its_child_told_of_comes_into_the_history_when_it_comes(
    camket: Product,
) -> None:
    first = household(name="Lý Văn Tư")
    then = later(first, LAN, NOW + 1, name="Lý Văn Năm")
    assert await camket.send(lan, DB, edit(then, "2-b", "1-a")) == ["received"]
    for _ in range(2):
        assert await camket.send(lan, DB, edit(first, "1-a")) == ["received"]
    assert sorted(row["rev"] for row in camket.all(tables.Archive)) == ["1-a", "2-b"]
    assert (await camket.shown(DB, first["_id"]))[1]["name"] == "Lý Văn Năm"
    assert len(await camket.live(DB, first["_id"])) == 1


async def test_a_late_copy_of_what_was_sent_again_with_the_clock_set_right_is_not_refused(
    camket: Product,
) -> None:
    """The phone built upon it, with other times; a courier brought it the day after."""
    moved = pledge(visit(at="2026-02-28T19:03:04Z"), at=NOW - 7 * 3_600_000)
    assert await camket.send(lan, DB, edit(moved, "2-b", "1-a")) == ["received"]
    other = pledge(visit(result="nobody_home"))
    assert await camket.send(lan, DB, edit(other, "1-a")) == ["forbidden"], "more than the time"
    assert await camket.send(lan, DB, edit(pledge(visit()), "1-z")) == ["forbidden"], "built upon by nobody"
    assert await camket.send(lan, DB, edit(pledge(visit()), "1-a")) == ["received"]
    assert (await camket.shown(DB, moved["_id"]))[1]["acts"] == moved["acts"]


async def test_of_a_copy_by_hand_and_one_with_the_clock_set_right_the_first_stands(camket: Product) -> None:
    """The phone had asked, moved its record, and died; meanwhile a courier brought what it had given him."""
    first, shifted = pledge(visit()), visit(at="2026-02-28T19:03:04Z")
    assert await camket.send(lan, DB, edit(first, "1-a")) == ["received"]
    moved = pledge(shifted, visit(SECOND), at=NOW + 1000)
    for _ in range(2):
        assert await camket.send(lan, DB, edit(moved, "2-b", "1-a")) == ["received"]
    further = pledge(shifted, visit(SECOND), visit(THIRD), at=NOW + 2000)
    assert await camket.send(lan, DB, edit(further, "3-c", "2-b", "1-a")) == ["received"]
    await camket.intake.observe(DB, [first["_id"]])
    acts = (await camket.shown(DB, first["_id"]))[1]["acts"]
    assert acts == [visit(), visit(SECOND), visit(THIRD)]
    assert len(await camket.live(DB, first["_id"])) == 1


async def given_back(camket: Product, *fakes: Edit) -> list[int]:
    """Lan gives these back as Mai's on a restored server; they wait under these numbers."""
    enrol(camket, (LAN, "phonelan01"), (MAI, "phonemai02"))
    restored(camket.rows, camket.now)
    named = [(fake.id, fake.rev) for fake in fakes]
    await camket.intake.outcomes(caller_of(lan, words("vi")), DB, named)
    assert await camket.send(lan, DB, *fakes) == ["quarantined"] * len(fakes)
    return [row["number"] for row in camket.all(tables.Quarantine)]


async def test_what_the_author_says_is_heard_whatever_was_let_in_by_its_name(camket: Product) -> None:
    true, fake = household(by=MAI, name="Lý Văn Thật"), household(by=MAI, name="Giả")
    numbers = await given_back(camket, edit(fake, "1-m"))
    warden = Warden(camket.store, camket.rows, camket.intake, lambda: camket.now)
    await warden.release("admin1", numbers)
    assert (await camket.shown(DB, true["_id"]))[1]["name"] == "Giả"
    for _ in range(2):
        assert await camket.send(mai, DB, edit(true, "1-m")) == ["received"]
        assert (await camket.shown(DB, true["_id"]))[1]["name"] == "Lý Văn Thật"
    assert sorted(row["source"] for row in camket.all(tables.Archive)) == ["released", "sent"]


async def test_what_waits_beside_what_has_its_name_is_not_told_received(camket: Product) -> None:
    true, fake = pledge(visit(by=MAI), by=MAI), pledge(visit(by=MAI, result="nobody_home"), by=MAI)
    numbers = await given_back(camket, edit(fake, "1-m"))
    warden = Warden(camket.store, camket.rows, camket.intake, lambda: camket.now)
    await warden.release("admin1", numbers)
    assert await camket.send(mai, DB, edit(true, "1-m")) == ["quarantined"]
    sent = edit(true, "1-m")
    asked = {(sent.id, sent.rev): digest(sent.body)}
    told = await camket.intake.withheld(caller_of(mai, words("vi")), DB, asked)
    assert [one.name for one in told.values()] == ["quarantined"]
    assert await camket.intake.withheld(caller_of(lan, words("vi")), DB, asked) == {}, "it is not his"
    (waits,) = camket.all(tables.Quarantine, state="waiting")
    await warden.discard("admin1", [waits["number"]])
    told = await camket.intake.withheld(caller_of(mai, words("vi")), DB, asked)
    assert [one.name for one in told.values()] == ["forbidden"]


async def test_what_was_sent_away_as_anothers_forgery_is_taken_from_its_author(camket: Product) -> None:
    true, fake = edit(household(by=MAI), "1-m"), edit(household(by=MAI, name="Giả"), "1-m")
    numbers = await given_back(camket, fake)
    warden = Warden(camket.store, camket.rows, camket.intake, lambda: camket.now)
    await warden.discard("admin1", numbers)
    asked = [(true.id, true.rev)]
    assert await camket.intake.outcomes(caller_of(mai, words("vi")), DB, asked) == [None], "it is asked for"
    assert await camket.send(lan, DB, fake) == ["forbidden"]
    assert await camket.send(mai, DB, true) == ["received"]


async def test_what_says_otherwise_under_a_stamp_that_is_held_waits(camket: Product) -> None:
    assert await camket.send(lan, DB, edit(household(name="Một"), "1-a")) == ["received"]
    assert await camket.send(lan, DB, edit(household(name="Hai"), "2-b", "1-a")) == ["quarantined"]
    assert [row["why"] for row in camket.all(tables.Quarantine)] == ["altered"]
    assert (await camket.shown(DB, household()["_id"]))[1]["name"] == "Một"


async def test_recovering_opens_no_other_door(camket: Product) -> None:
    enrol(camket, (LAN, "phonelan01"))
    restored(camket.rows, camket.now)
    await camket.intake.outcomes(caller_of(lan, words("vi")), DB, [("household:x", Rev(1, "a"))])
    sent = [edit(household(by=MAI, name=""), "1-a"), edit(pledge(visit(), visit()), "1-b")]
    assert await camket.send(lan, DB, *sent) == ["forbidden", "forbidden"]
    assert camket.all(tables.Quarantine) == []


# ---- Hostile names, full disks --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("doc_id", "rev"),
    [
        ("household:\x00", "1-a"),
        ("household:" + "A" * 5000, "1-a"),
        ("Hộ:1", "1-a"),
        (household()["_id"], "1-\x00"),
        (household()["_id"], "1-" + "a" * 5000),
        (household()["_id"], "1-"),
        (household()["_id"], "99999999999-a"),
    ],
)
async def test_a_name_that_no_program_makes_is_refused_and_looked_up_nowhere(
    camket: Product, doc_id: str, rev: str
) -> None:
    good = edit(household(), "1-good")
    assert await camket.send(lan, DB, edit(household() | {"_id": doc_id}, rev), good) == [
        "forbidden",
        "received",
    ]
    caller = caller_of(lan, words("vi"))
    assert await camket.intake.outcomes(caller, DB, [(doc_id, Rev.parse(rev))]) == [None]
    assert await camket.follower.catch_up() == 1


async def test_a_full_disk_takes_nothing_half(tmp_path: Path) -> None:
    async with product(tmp_path, [DB]) as camket:
        with camket.rows.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()

        @event.listens_for(camket.rows, "checkout")
        def fill(connection: sqlite3.Connection, *_: object) -> None:
            connection.execute(f"PRAGMA max_page_count = {pages + room}")

        room = 4
        strokes = [[n % 1000 for n in range(start, start + 140)] for start in range(200)]
        edits = [edit(signature([stroke]), "1-a") for stroke in strokes]
        with pytest.raises(StoreFull):
            await camket.send(lan, DB, *edits)
        assert camket.all(tables.Archive) == []
        assert await camket.store.trees(DB, [one.id for one in edits]) == {}
        room = 10_000
        assert await camket.send(lan, DB, *edits) == ["received"] * len(edits)
