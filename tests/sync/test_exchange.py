"""The exchange over a real application and a real store, as a phone sees it: one file for one address."""

import gzip
import zlib
from pathlib import Path
from typing import Any

import orjson
import pytest

from sync.canonical import encode
from sync.exchange import MAX_DOCUMENT, MAX_NAMED, MAX_REQUEST, PART, digest
from sync.rev import Rev
from sync.stamps import SKEW
from sync.store.interface import Edit, Page, StoreFull
from tests.sync.season import (
    NOW,
    Commune,
    asking,
    child,
    chunks,
    commune,
    exchange,
    household,
    outcomes,
    position,
    rows,
    sent,
)

ID = "household:01J8ZQ4T6N3VXK2M5R7W9Y0ABC"


async def stored(application: Commune, db: str = "hamlet-a") -> int:
    return len((await application.store.changes(db, Page())).rows)


async def test_nothing_to_do_is_two_lines() -> None:
    async with commune() as (_, client):
        assert await exchange(client, asking(hamlet_a={}, commune={})) == [
            {
                "clock": NOW,
                "dbs": ["hamlet-a", "commune"],
                "user": {"id": "lan01", "name": "Lan", "role": "volunteer"},
            },
            {"done": True},
        ]


async def test_what_a_phone_sends_is_received_and_comes_back_without_its_body() -> None:
    async with commune() as (_, client):
        body = household("Ông Bốn")
        path = child(None, body)
        parts = await exchange(client, asking(hamlet_a={"docs": [sent(ID, path, body)]}))
        assert outcomes(parts) == [[ID, path[0], "received"]]
        assert rows(parts) == [{"id": ID, "rev": path[0], "revs": [path[0][2:]]}]
        assert parts[-1] == {"done": True}


async def test_the_other_phone_gets_the_document_whole_and_then_nothing_more() -> None:
    async with commune() as (_, client):
        body = household("Ông Bốn")
        path = child(None, body)
        await exchange(client, asking(hamlet_a={"docs": [sent(ID, path, body)]}))
        parts = await exchange(client, asking(hamlet_a={"since": None}))
        assert rows(parts) == [{"id": ID, "rev": path[0], "revs": [path[0][2:]], "doc": body}]
        again = await exchange(client, asking(hamlet_a={"since": position(parts)}))
        assert len(again) == 2


async def test_sending_again_after_a_cut_gives_the_same_outcome_and_writes_nothing() -> None:
    async with commune() as (application, client):
        body = household("Ông Bốn")
        request = asking(hamlet_a={"docs": [sent(ID, child(None, body), body)]})
        first = await exchange(client, request)
        seq = (await application.store.info("hamlet-a")).update_seq
        assert await exchange(client, request) == first
        assert (await application.store.info("hamlet-a")).update_seq == seq


async def test_a_collision_is_settled_before_its_rows_are_read() -> None:
    async with commune() as (_, client):
        ours, theirs = household("Ông Bốn", 1), household("Ông Năm", 2, "dev2", place={"lane": "1"})
        first, second = child(None, ours), child(None, theirs)
        await exchange(client, asking(hamlet_a={"docs": [sent(ID, first, ours)]}))
        parts = await exchange(client, asking(hamlet_a={"docs": [sent(ID, second, theirs)]}))
        (row,) = rows(parts)
        winner, loser = (first, second) if first > second else (second, first)
        assert row["absorbed"] == [loser[0]]
        status = {first[0]: "received", second[0]: "received", loser[0]: "absorbed"}
        assert outcomes(parts) == [[ID, second[0], status[second[0]]]]
        waiting = await exchange(client, asking(hamlet_a={"waiting": [[ID, first[0]], [ID, second[0]]]}))
        assert outcomes(waiting) == [[ID, rev, status[rev]] for rev in (first[0], second[0])]
        assert (row.get("doc") or theirs)["name"] == "Ông Năm"
        if winner is first:
            assert row["rev"].startswith("2-")


async def test_a_revision_that_only_a_descendant_has_named_is_asked_for() -> None:
    """It was lost with a restore: the descendant's path is no proof of what it said."""
    async with commune() as (application, client):
        lost, other = household("Ông Bốn"), household("Ông Năm", 2)
        first = child(None, lost)
        second = child(first, other)
        await exchange(client, asking(hamlet_a={"docs": [sent(ID, second, other)]}))
        waits = asking(hamlet_a={"waiting": [[ID, first[0]]]})
        parts = await exchange(client, waits)
        assert outcomes(parts) == []
        assert {"db": "hamlet-a", "missing": [[ID, first[0]]]} in parts
        application.decided[ID, first[0]] = "erased"
        assert outcomes(await exchange(client, waits)) == [[ID, first[0], "erased", "why erased"]]
        application.decided.clear()
        application.archived[ID, Rev.parse(first[0])] = encode(household("Ông Bốn"))
        assert outcomes(await exchange(client, waits)) == [[ID, first[0], "received"]]


async def test_a_quarantined_revision_is_told_now_and_through_the_waiting_list() -> None:
    async with commune() as (application, client):
        body = household("Ông Bốn")
        path = child(None, body)
        application.decided[ID, path[0]] = "quarantined"
        said = [ID, path[0], "quarantined", "why quarantined"]
        parts = await exchange(client, asking(hamlet_a={"docs": [sent(ID, path, body)]}))
        assert outcomes(parts) == [said]
        assert await stored(application) == 0
        assert outcomes(await exchange(client, asking(hamlet_a={"waiting": [[ID, path[0]]]}))) == [said]


async def test_what_the_application_holds_back_is_not_told_received_by_its_name_alone() -> None:
    async with commune() as (application, client):
        body = household("Ông Bốn")
        path = child(None, body)
        await exchange(client, asking(hamlet_a={"docs": [sent(ID, path, body)]}))
        waiting = asking(hamlet_a={"waiting": [[ID, path[0]]]})
        assert outcomes(await exchange(client, waiting)) == [[ID, path[0], "received"]]
        application.decided[ID, path[0]] = "quarantined"
        otherwise = asking(hamlet_a={"waiting": [[ID, path[0], "0" * 16]]})
        assert outcomes(await exchange(client, otherwise)) == [
            [ID, path[0], "quarantined", "why quarantined"]
        ]


async def test_what_nobody_here_has_ever_had_is_asked_for() -> None:
    async with commune() as (application, client):
        application.decided[ID, "1-c"] = "erased"
        asked = {"waiting": [[ID, "1-a"]], "have": [[ID, "1-b"], [ID, "1-c"]]}
        parts = await exchange(client, asking(hamlet_a=asked))
        assert parts[1:] == [
            {"db": "hamlet-a", "missing": [[ID, "1-b"], [ID, "1-a"]]},
            {"db": "hamlet-a", "outcomes": [[ID, "1-c", "erased", "why erased"]]},
            {"done": True},
        ]


async def test_a_revision_that_only_its_child_named_is_asked_for() -> None:
    async with commune() as (_, client):
        first = child(None, household("Ông Bốn"))
        then = child(first, household("Ông Năm", 2))
        await exchange(client, asking(hamlet_a={"docs": [sent(ID, then, household("Ông Năm", 2))]}))
        parts = await exchange(client, asking(hamlet_a={"have": [[ID, first[0]], [ID, then[0]]]}))
        assert parts[1] == {"db": "hamlet-a", "missing": [[ID, first[0]]]}


async def test_what_the_phone_has_and_the_server_too_needs_no_word() -> None:
    async with commune() as (_, client):
        body = household("Ông Bốn")
        path = child(None, body)
        await exchange(client, asking(hamlet_a={"docs": [sent(ID, path, body)]}))
        parts = await exchange(client, asking(hamlet_a={"have": [[ID, path[0]]]}))
        assert [set(part) for part in parts[1:]] == [{"db", "rows", "position"}, {"done"}]


NAMED = ["have", "waiting"]


@pytest.mark.parametrize("upon", [True, False])
@pytest.mark.parametrize("name", NAMED)
async def test_what_says_something_else_here_is_asked_for_and_what_says_the_same_is_not(
    name: str, upon: bool
) -> None:
    async with commune() as (application, client):
        body = household("Ông Bốn")
        path = child(None, body)
        await exchange(client, asking(hamlet_a={"docs": [sent(ID, path, body)]}))

        async def missing(says: str) -> list[list[str]]:
            parts = await exchange(client, asking(hamlet_a={name: [[ID, path[0], says]]}))
            return [one for part in parts for one in part.get("missing", ())]

        told, other = digest(encode(body)), household("Ông Năm")
        assert [await missing(told), await missing(digest(encode(other)))] == [[], [[ID, path[0]]]]
        near = child(path if upon else None, other)  # it was taken in upon that, or beside it
        await exchange(client, asking(hamlet_a={"docs": [sent(ID, near, other)]}))
        assert await missing(digest(encode(other))) == []
        application.decided[ID, path[0]] = "quarantined"
        assert await missing("0" * 16) == [], "the application knows what became of it"


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("says", ["", "0" * 15, "G" * 16, "A" * 16, None, 7])
async def test_what_is_no_digest_is_an_error_with_its_place(name: str, says: object) -> None:
    async with commune() as (_, client):
        answer = await client.post("/_exchange", json=asking(hamlet_a={name: [[ID, "1-a", says]]}))
        assert (answer.status_code, answer.json()["reason"].split(":")[0]) == (400, f"dbs.hamlet-a.{name}[0]")


async def test_a_database_that_is_no_longer_held_is_gone_and_the_others_go_on() -> None:
    async with commune() as (application, client):
        application.held = ["commune"]
        body = household("Ông Bốn")
        docs = [sent(ID, child(None, body), body)]
        parts = await exchange(client, asking(hamlet_a={"docs": docs}, hamlet_x={}, commune={}))
        assert parts[1:] == [
            {"db": "hamlet-a", "gone": True},
            {"db": "hamlet-x", "gone": True},
            {"done": True},
        ]
        assert await stored(application) == 0


async def test_signatures_move_the_position_but_never_go_down() -> None:
    async with commune() as (_, client):
        body = {"type": "signature", "v": 1, "strokes": [[1, 2]]}
        docs = [sent("signature:" + "a" * 64, child(None, body), body)]
        parts = await exchange(client, asking(hamlet_a={"docs": docs}))
        assert [outcome[2] for outcome in outcomes(parts)] == ["received"]
        assert rows(parts) == []
        assert len(await exchange(client, asking(hamlet_a={"since": position(parts)}))) == 2


async def test_many_rows_come_in_small_parts_each_with_its_position() -> None:
    async with commune() as (_, client):
        bodies = {f"household:{index:026d}": household(f"Hộ {index}") for index in range(1000)}
        docs = [sent(doc_id, child(None, body), body) for doc_id, body in bodies.items()]
        await exchange(client, asking(hamlet_a={"docs": docs}))
        answer = await client.post("/_exchange", json=asking(hamlet_a={"since": None}))
        lines = answer.text.splitlines()
        assert max(len(line.encode()) for line in lines) < PART
        parts = [orjson.loads(line) for line in lines]
        assert {row["id"]: row["doc"] for row in rows(parts)} == bodies
        paged = [part for part in parts if "rows" in part]
        assert len(paged) > 5
        # a cut after any part costs only what comes after it
        rest = await exchange(client, asking(hamlet_a={"since": paged[2]["position"]}))
        assert [row["id"] for row in rows(rest)] == [row["id"] for part in paged[3:] for row in part["rows"]]


async def test_the_answer_is_one_gzip_stream_that_can_be_read_part_by_part() -> None:
    async with commune() as (_, client):
        await grown(client, *(f"Hộ {index}" for index in range(400)))
        unpacker = zlib.decompressobj(wbits=31)
        read = [unpacker.decompress(piece) for piece in await chunks(client, asking(hamlet_a={}))]
        assert unpacker.eof
        whole = [piece.endswith(b"\n") for piece in read if piece]
        assert len(whole) > 3
        assert all(whole), "a part that has come is cut in the middle of a line"
        plain = await client.post("/_exchange", json=asking(), headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers


@pytest.mark.parametrize("phone", [NOW - SKEW - 1, NOW + SKEW + 1, 0])
async def test_a_wrong_clock_is_told_its_offset_and_nothing_is_stored(phone: int) -> None:
    async with commune() as (application, client):
        body = household("Ông Bốn")
        request = asking(phone, hamlet_a={"docs": [sent(ID, child(None, body), body)]})
        assert await exchange(client, request) == [{"clock": NOW, "skew": NOW - phone}]
        assert await stored(application) == 0


@pytest.mark.parametrize("phone", [NOW - SKEW, NOW + SKEW])
async def test_a_clock_within_five_minutes_is_right_enough(phone: int) -> None:
    async with commune() as (_, client):
        assert (await exchange(client, asking(phone)))[-1] == {"done": True}


async def test_a_server_whose_own_clock_is_wrong_refuses_nobody_for_theirs() -> None:
    async with commune() as (application, client):
        application.now, application.trusted = 0, False
        body = household("Ông Bốn")
        parts = await exchange(client, asking(hamlet_a={"docs": [sent(ID, child(None, body), body)]}))
        assert [outcome[2] for outcome in outcomes(parts)] == ["received"]


async def test_a_deleted_document_comes_as_its_tombstone_with_what_that_says() -> None:
    async with commune() as (application, client):
        body = household("Ông Bốn")
        path = child(None, body)
        since = position(await exchange(client, asking(hamlet_a={"docs": [sent(ID, path, body)]})))
        above = tuple(map(Rev.parse, path))
        plain, moved = Rev(2, "a"), Rev(3, "b")
        await application.store.graft("hamlet-a", [Edit(ID, (plain, *above), b"{}", deleted=True)])
        (row,) = rows(await exchange(client, asking(hamlet_a={"since": since})))
        assert row == {"id": ID, "rev": "2-a", "revs": ["a", above[0].digest], "deleted": True}
        said = b'{"moved_to":"hamlet-b"}'
        await application.store.graft("hamlet-a", [Edit(ID, (moved, plain, *above), said, deleted=True)])
        (row,) = rows(await exchange(client, asking(hamlet_a={"since": since})))
        assert (row["deleted"], row["doc"]) == (True, {"moved_to": "hamlet-b"})


async def test_a_full_disk_is_said_and_nothing_is_half_written(monkeypatch: pytest.MonkeyPatch) -> None:
    async with commune() as (application, client):

        async def full(_: object) -> None:
            raise StoreFull

        with monkeypatch.context() as patch:
            patch.setattr(application.store, "graft_all", full)
            request = asking(hamlet_a={"docs": [DOC]}, commune={"docs": [DOC]})
            answer = await client.post("/_exchange", json=request)
        assert (answer.status_code, answer.json()["error"]) == (507, "insufficient_storage")
        assert await stored(application) == 0
        assert [outcome[2] for outcome in outcomes(await exchange(client, request))] == ["received"] * 2


async def test_uploads_to_several_databases_are_one_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    async with commune() as (application, client):
        calls = []
        graft_all = application.store.graft_all

        async def counted(edits: Any) -> Any:
            calls.append({db: len(some) for db, some in edits.items()})
            return await graft_all(edits)

        monkeypatch.setattr(application.store, "graft_all", counted)
        await exchange(client, asking(hamlet_a={"docs": [DOC]}, commune={"docs": [DOC]}))
        assert calls == [{"hamlet-a": 1, "commune": 1}]


# --- positions ----------------------------------------------------------------------------------------------


async def grown(client: Any, *names: str) -> list[dict[str, Any]]:
    docs = []
    for index, name in enumerate(names):
        body = household(name)
        docs.append(sent(f"household:{index:026d}", child(None, body), body))
    return await exchange(client, asking(hamlet_a={"docs": docs}))


async def test_a_position_from_a_server_that_was_restored_is_lost() -> None:
    async with commune() as (_, later):
        since = position(await grown(later, "a", "b", "c"))
    async with commune() as (_, restored):
        await grown(restored, "a", "b")
        parts = await exchange(restored, asking(hamlet_a={"since": since}))
        assert parts[1:] == [{"db": "hamlet-a", "position_lost": True}, {"done": True}]
        # the same number again, but another document there
        await grown(restored, "a", "b", "other")
        parts = await exchange(restored, asking(hamlet_a={"since": since}))
        assert parts[1:] == [{"db": "hamlet-a", "position_lost": True}, {"done": True}]


async def test_a_position_is_lost_where_its_number_went_to_what_was_built_upon_its_revision() -> None:
    first, second = household("a"), household("b", 2)
    path = child(None, first)
    async with commune() as (_, later):
        since = position(await exchange(later, asking(hamlet_a={"docs": [sent(ID, path, first)]})))
    async with commune() as (_, restored):
        await exchange(restored, asking(hamlet_a={"docs": [sent(ID, child(path, second), second)]}))
        parts = await exchange(restored, asking(hamlet_a={"since": since}))
        assert parts[1:] == [{"db": "hamlet-a", "position_lost": True}, {"done": True}]


async def test_a_position_is_lost_where_a_server_from_a_copy_has_grown_beyond_it(tmp_path: Path) -> None:
    """It knows the revision, at a higher number: a phone sent it again, and somebody built upon it."""
    first, second = household("a"), household("b", 2)
    path = child(None, first)
    async with commune() as (application, later):
        await grown(later, "x")
        await application.store.backup(tmp_path / "documents.sqlite")
        since = position(await exchange(later, asking(hamlet_a={"docs": [sent(ID, path, first)]})))
        assert (await exchange(later, asking(hamlet_a={"since": since})))[1:] == [{"done": True}]
    async with commune(tmp_path) as (_, restored):
        await grown(restored, "x", "y", "z")
        await exchange(restored, asking(hamlet_a={"docs": [sent(ID, child(path, second), second)]}))
        parts = await exchange(restored, asking(hamlet_a={"since": since}))
        assert parts[1:] == [{"db": "hamlet-a", "position_lost": True}, {"done": True}]


async def test_a_position_of_before_the_copy_is_still_good(tmp_path: Path) -> None:
    async with commune() as (application, later):
        since = position(await grown(later, "x"))
        await application.store.backup(tmp_path / "documents.sqlite")
        await grown(later, "x", "y")
    async with commune(tmp_path) as (_, restored):
        parts = await grown(restored, "x", "z")
        parts = await exchange(restored, asking(hamlet_a={"since": since}))
        assert [row["doc"]["name"] for row in rows(parts)] == ["z"]


def noted(patch: pytest.MonkeyPatch, application: Commune, hook: str, calls: list[str]) -> None:
    """Have the calls of a hook written down."""
    ours = getattr(application, hook)

    async def call(*about: Any) -> Any:
        calls.append(hook)
        return await ours(*about)

    patch.setattr(application, hook, call)


async def test_what_comes_with_a_lost_position_is_judged_once_the_server_knows_what_the_phone_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with commune() as (application, client):
        asked: list[str] = []
        noted(monkeypatch, application, "outcomes", asked)
        noted(monkeypatch, application, "admit", asked)
        parts = await exchange(client, asking(hamlet_a={"since": "lost", "docs": [DOC]}))
        assert parts[1:] == [{"db": "hamlet-a", "position_lost": True}, {"done": True}]
        assert (asked, await stored(application)) == ([], 0)
        then = {"since": None, "docs": [DOC], "have": [[ID, "1-b"], [DOC["_id"], DOC["_rev"]]]}
        parts = await exchange(client, asking(hamlet_a=then))
        assert asked == ["outcomes", "admit"]
        assert [part["missing"] for part in parts if "missing" in part] == [[[ID, "1-b"]]]
        assert [outcome[2] for outcome in outcomes(parts)] == ["received"]


@pytest.mark.parametrize("name", ["have", "waiting"])
async def test_a_phone_asks_about_so_many_revisions_and_no_more(name: str) -> None:
    async with commune() as (_, client):
        answer = await client.post(
            "/_exchange", json=asking(hamlet_a={name: [[ID, "1-a"]] * (MAX_NAMED + 1)})
        )
        assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")


async def test_a_known_revision_at_a_lower_number_than_the_position_is_lost_too() -> None:
    async with commune() as (_, client):
        since = orjson.loads(position(await grown(client, "a", "b")))
        ahead = orjson.dumps([since[0] + 5, *since[1:]]).decode()
        parts = await exchange(client, asking(hamlet_a={"since": ahead}))
        assert parts[1] == {"db": "hamlet-a", "position_lost": True}


@pytest.mark.parametrize("since", ["", "12", "null", "[1]", '[1,"a","b"]', '[true,"a","1-b"]', "[" * 2000])
async def test_a_position_that_no_server_gave_is_lost_and_not_an_error(since: str) -> None:
    async with commune() as (_, client):
        await grown(client, "a")
        parts = await exchange(client, asking(hamlet_a={"since": since}))
        assert parts[1:] == [{"db": "hamlet-a", "position_lost": True}, {"done": True}]


async def test_a_document_that_changed_after_the_position_does_not_lose_it() -> None:
    async with commune() as (_, client):
        first = household("Ông Bốn")
        path = child(None, first)
        since = position(await exchange(client, asking(hamlet_a={"docs": [sent(ID, path, first)]})))
        second = household("Ông Năm", 2)
        longer = child(path, second)
        await exchange(client, asking(hamlet_a={"docs": [sent(ID, longer, second)]}))
        parts = await exchange(client, asking(hamlet_a={"since": since}))
        assert [row["rev"] for row in rows(parts)] == [longer[0]]


# --- bad input ----------------------------------------------------------------------------------------------

BODY = household("Ông Bốn")
DOC = sent(ID, child(None, BODY), BODY)

NOT_UNDERSTOOD = [
    (b"", "JSON"),
    (b"{", "JSON"),
    (b"nul", "JSON"),
    (b'{"clock":1,"dbs":{"hamlet-a":{"docs":[{"_id":"a","_rev":"1-\xff"}]}}}', "JSON"),
    (b'{"clock":1,"dbs":{"hamlet-a":{"docs":[{"_id":"a","x":"\\ud800"}]}}}', "JSON"),
    (b"[" * 100_000, "JSON"),
    (b'{"clock":NaN,"dbs":{}}', "clock"),
    (b"[]", "request: an object"),
    (b"{}", "clock"),
    (b'{"clock":"1","dbs":{}}', "clock"),
    (b'{"clock":true,"dbs":{}}', "clock"),
    (b'{"clock":-1,"dbs":{}}', "clock"),
    (b'{"clock":1}', "dbs: an object"),
    (b'{"clock":1,"dbs":[]}', "dbs: an object"),
    (b'{"clock":1,"dbs":{},"more":1}', "'more'"),
    (b'{"clock":1,"dbs":{"hamlet-a":[]}}', "dbs.hamlet-a: an object"),
    (b'{"clock":1,"dbs":{"hamlet-a":{"doc":[]}}}', "dbs.hamlet-a: there is no 'doc'"),
    (b'{"clock":1,"dbs":{"hamlet-a":{"since":7}}}', "dbs.hamlet-a.since"),
    (b'{"clock":1,"dbs":{"hamlet-a":{"docs":{}}}}', "dbs.hamlet-a.docs: a list"),
    (b'{"clock":1,"dbs":{"hamlet-a":{"docs":[1]}}}', "dbs.hamlet-a.docs[0]: an object"),
    (b'{"clock":1,"dbs":{"hamlet-a":{"docs":[{}]}}}', "dbs.hamlet-a.docs[0]._id"),
    (b'{"clock":1,"dbs":{"hamlet-a":{"docs":[{"_id":"a"}]}}}', "dbs.hamlet-a.docs[0]._rev"),
    (b'{"clock":1,"dbs":{"hamlet-a":{"docs":[{"_id":"a","_rev":"x"}]}}}', "docs[0]._rev"),
    (b'{"clock":1,"dbs":{"hamlet-a":{"waiting":[["a"]]}}}', "dbs.hamlet-a.waiting[0]"),
    (b'{"clock":1,"dbs":{"hamlet-a":{"waiting":[["a","b"]]}}}', "dbs.hamlet-a.waiting[0]"),
    (b'{"clock":1,"dbs":{"hamlet-a":{"have":[{}]}}}', "dbs.hamlet-a.have[0]"),
]


@pytest.mark.parametrize(("data", "where"), NOT_UNDERSTOOD, ids=[str(row[0][:60]) for row in NOT_UNDERSTOOD])
async def test_a_request_that_cannot_be_understood_says_where(data: bytes, where: str) -> None:
    async with commune() as (application, client):
        answer = await client.post("/_exchange", content=data)
        assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")
        assert where in answer.json()["reason"]
        assert await stored(application) == 0


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


REFUSED = [
    ({"_revisions": None}, "forbidden"),
    ({"_revisions": {"start": 1, "ids": []}}, "forbidden"),
    ({"_revisions": {"start": 1, "ids": [7]}}, "forbidden"),
    ({"_revisions": {"start": 2, "ids": ["a", "b"]}}, "forbidden"),
    ({"_revisions": {"start": 1, "ids": [DOC["_rev"][2:], "b"]}}, "forbidden"),
    ({"_id": "_design/a"}, "forbidden"),
    ({"_attachments": {}}, "forbidden"),
    ({"_deleted": 1}, "forbidden"),
    ({"order": 1.5}, "forbidden"),
    ({"order": 2**60}, "forbidden"),
    ({"order": nested(300)}, "forbidden"),
    ({"name": "ơ" * (MAX_DOCUMENT // 2)}, "too_large"),
]


@pytest.mark.parametrize(("change", "status"), REFUSED, ids=[str(row[0])[:50] for row in REFUSED])
async def test_a_document_that_cannot_be_stored_is_its_own_outcome(change: Any, status: str) -> None:
    async with commune() as (application, client):
        good = sent("household:good", child(None, BODY), BODY)
        parts = await exchange(client, asking(hamlet_a={"docs": [DOC | change, good]}))
        told = {outcome[0]: outcome[2] for outcome in outcomes(parts)}
        assert told == {(DOC | change)["_id"]: status, "household:good": "received"}
        assert await stored(application) == 1


@pytest.mark.parametrize("spoilt", [b'"\\ud800"', b'{"\\udfff": 1}', b"1e400"])
async def test_what_no_unicode_text_can_hold_spoils_its_own_document_alone(spoilt: bytes) -> None:
    async with commune() as (application, client):
        good = sent("household:good", child(None, BODY), BODY)
        asked = orjson.dumps(asking(hamlet_a={"docs": [DOC | {"name": "HERE"}, good]}))
        answer = await client.post("/_exchange", content=asked.replace(b'"HERE"', spoilt))
        parts = [orjson.loads(line) for line in answer.content.splitlines()]
        told = {outcome[0]: outcome[2] for outcome in outcomes(parts)}
        assert told == {DOC["_id"]: "forbidden", "household:good": "received"}
        assert await stored(application) == 1


BROKEN = [
    (gzip.compress(b"{}", mtime=0)[:-4], {"Content-Encoding": "gzip"}, 400),
    (gzip.compress(b"{}", mtime=0) + b"more", {"Content-Encoding": "gzip"}, 400),
    (b"{}", {"Content-Encoding": "gzip"}, 400),
    (gzip.compress(b" " * (MAX_REQUEST + 1), mtime=0), {"Content-Encoding": "gzip"}, 413),
    (gzip.compress(b"0" * 1_000_000_000, 9, mtime=0), {"Content-Encoding": "gzip"}, 413),
    (b" " * (MAX_REQUEST + 1), {}, 413),
    (b"{}", {"Content-Encoding": "br"}, 415),
    (b"{}", {"Content-Type": "text/plain"}, 415),
    (b"{}", {"Authorization": ""}, 401),
]


@pytest.mark.parametrize(
    "row", BROKEN, ids=["cut", "trailing", "none", "big", "bomb", "long", "br", "text", "who"]
)
async def test_what_cannot_be_read_is_refused_with_its_status(row: tuple[bytes, dict[str, str], int]) -> None:
    data, headers, status = row
    async with commune() as (application, client):
        answer = await client.post("/_exchange", content=data, headers=headers)
        assert answer.status_code == status
        assert set(answer.json()) == {"error", "reason"}
        assert await stored(application) == 0
        assert (await exchange(client, asking()))[-1] == {"done": True}
