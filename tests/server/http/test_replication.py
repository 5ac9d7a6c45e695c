"""The standard protocol over the product's databases: what any peer may do with `/db/<name>`, and may not."""

import json

import pytest

from server import archive
from server.rows.engine import readers
from sync.rev import Rev
from tests.server.http.served import DB, HOUSEHOLD, Served


async def test_a_phone_falls_back_to_plain_couchdb(camket: Served) -> None:
    phone = await camket.phone()
    head = {"Authorization": f"Bearer {phone.joined['credential']}"}
    visit, forged = phone.visit(), phone.visit("01J8ZQ4T6N3VXK2M5R7W9Y0ABD") | {"by": "someoneelse"}
    asked = {visit["_id"]: [visit["_rev"]]}
    missing = await camket.http.post(f"/db/{DB}/_revs_diff", json=asked, headers=head)
    assert missing.json() == {visit["_id"]: {"missing": [visit["_rev"]]}}

    pushed = await camket.http.post(
        f"/db/{DB}/_bulk_docs", json={"docs": [visit, forged], "new_edits": False}, headers=head
    )
    assert pushed.status_code == 201
    (row,) = pushed.json()
    assert (row["id"], row["error"]) == (forged["_id"], "forbidden")
    assert row["reason"]

    feed = (await camket.http.get(f"/db/{DB}/_changes?include_docs=true", headers=head)).json()
    assert {row["id"] for row in feed["results"]} == {f"household:{HOUSEHOLD}", visit["_id"]}
    read = await camket.http.get(f"/db/{DB}/{visit['_id']}", headers=head)
    assert read.json()["acts"] == visit["acts"]


async def test_what_a_single_write_leaves_out_comes_back_as_the_archive_says(camket: Served) -> None:
    phone = await camket.phone()
    head = {"Authorization": f"Bearer {phone.joined['credential']}"}
    first, later = phone.visit(), phone.visit()
    at = f"/db/{DB}/{first['_id']}"
    assert (await camket.http.put(f"{at}?new_edits=false", json=first, headers=head)).status_code == 201

    sent = {key: value for key, value in later.items() if key != "_revisions"} | {"_rev": first["_rev"]}
    written = await camket.http.put(at, json=sent, headers=head)
    assert written.status_code == 201
    read = (await camket.http.get(f"{at}?revs=true&conflicts=true", headers=head)).json()
    assert {act["id"] for act in read["acts"]} == {act["id"] for act in first["acts"] + later["acts"]}
    assert read["_rev"] == written.json()["rev"]
    assert "_conflicts" not in read

    start, ids = read["_revisions"]["start"], read["_revisions"]["ids"]
    revs = [Rev(start - n, digest) for n, digest in enumerate(ids)]
    assert (len(revs), str(revs[-1])) == (3, first["_rev"])
    with readers(camket.parts.rows).begin() as rows:
        kept = archive.bodies(rows, DB, {(first["_id"], rev) for rev in revs})
    acts = {rev: [act["id"] for act in json.loads(body)["acts"]] for (_, rev), body in kept.items()}
    assert {rev: len(ids) for rev, ids in acts.items()} == dict(zip(revs, [2, 1, 1], strict=True))
    assert acts[revs[1]] == [act["id"] for act in later["acts"]]

    again = await camket.http.put(at, json=sent, headers=head)
    assert (again.status_code, again.json()["error"]) == (409, "conflict")
    following = await camket.http.put(at, json=sent | {"_rev": read["_rev"]}, headers=head)
    assert following.status_code == 201


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/db/_all_dbs"),
        ("PUT", "/db/hamlet-new"),
        ("DELETE", f"/db/{DB}"),
        ("POST", f"/db/{DB}/_purge"),
        ("GET", f"/db/{DB}/_security"),
        ("PUT", f"/db/{DB}/_security"),
        ("POST", f"/db/{DB}/_compact"),
        ("POST", f"/db/{DB}/_find"),
        ("PUT", f"/db/{DB}/_design/x"),
        ("PUT", f"/db/{DB}/household:{HOUSEHOLD}/picture"),
    ],
)
async def test_nothing_but_replication_is_there(camket: Served, method: str, path: str) -> None:
    phone = await camket.phone()
    head = {"Authorization": f"Bearer {phone.joined['credential']}"}
    answer = await camket.http.request(method, path, json={}, headers=head)
    assert answer.status_code in {400, 403, 404, 405}
    assert "error" in answer.json()


async def test_without_a_credential_nothing_is_told(camket: Served) -> None:
    for path in ("/db/", f"/db/{DB}", f"/db/{DB}/_changes"):
        answer = await camket.http.get(path)
        assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")


async def test_a_document_over_the_limit_is_its_own_outcome_and_a_checkpoint_stays_small(
    camket: Served,
) -> None:
    phone = await camket.phone()
    head = {"Authorization": f"Bearer {phone.joined['credential']}"}
    good, big = phone.visit(), phone.visit("01J8ZQ4T6N3VXK2M5R7W9Y0ABD")
    big["padding"] = "x" * 2**20
    pushed = await camket.http.post(
        f"/db/{DB}/_bulk_docs", json={"docs": [good, big], "new_edits": False}, headers=head
    )
    (row,) = pushed.json()
    assert (pushed.status_code, row["id"], row["error"]) == (201, big["_id"], "forbidden")
    assert (await camket.http.get(f"/db/{DB}/{good['_id']}", headers=head)).status_code == 200
    assert (await camket.http.get(f"/db/{DB}/{big['_id']}", headers=head)).status_code == 404
    alone = f"/db/{DB}/{big['_id']}?new_edits=false"
    one = await camket.http.put(alone, json=big | {"v": 2}, headers=head)
    assert one.status_code in {403, 413}

    local = f"/db/{DB}/_local/peer"
    stuffed = await camket.http.put(local, json={"history": "x" * 70_000}, headers=head)
    assert stuffed.status_code == 413
    assert (await camket.http.put(local, json={"history": "x" * 50_000}, headers=head)).status_code == 201


async def test_a_name_without_its_words_is_missing_until_they_have_come(camket: Served) -> None:
    """Somebody has built upon a record that was lost with a restore; its own phone has it still."""
    phone, other = await camket.phone(), await camket.phone(camket.person("Lan"))
    lost, upon = phone.visit(), other.visit()
    upon["_rev"] = f"2-{upon['_revisions']['ids'][0]}"
    upon["_revisions"] = {"start": 2, "ids": [*upon["_revisions"]["ids"], *lost["_revisions"]["ids"]]}
    await other.exchange(upon)
    asked, head = {lost["_id"]: [lost["_rev"]]}, phone.bearer("credential")
    missing = await camket.http.post(f"/db/{DB}/_revs_diff", json=asked, headers=head)
    assert missing.json()[lost["_id"]]["missing"] == [lost["_rev"]]
    sent = {"docs": [lost], "new_edits": False}
    assert (await camket.http.post(f"/db/{DB}/_bulk_docs", json=sent, headers=head)).json() == []
    assert (await camket.http.post(f"/db/{DB}/_revs_diff", json=asked, headers=head)).json() == {}
    with readers(camket.parts.rows).begin() as rows:
        assert archive.accepted(rows, [DB], {(lost["_id"], Rev.parse(lost["_rev"]))})
