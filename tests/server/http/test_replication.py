"""The standard protocol over the product's databases: what any peer may do with `/db/<name>`, and may not."""

import pytest

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
