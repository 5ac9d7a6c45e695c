"""couchdb-python, as people use it, against the engine."""

import asyncio
import io
from collections.abc import AsyncIterator

import couchdb
import pytest

from sync.http.bare import Administrator
from tests.engine.running import engine


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with engine() as client:
        yield str(client.base_url)


async def test_databases_and_documents(url: str) -> None:
    await asyncio.to_thread(_databases_and_documents, url)


def _databases_and_documents(url: str) -> None:
    server = couchdb.Server(url)
    db = server.create("a")
    assert "a" in server
    assert server.version()
    with pytest.raises(couchdb.PreconditionFailed):
        server.create("a")
    doc_id, rev = db.save({"type": "household", "name": "Lục Thị Mẩy"})
    assert db[doc_id]["name"] == "Lục Thị Mẩy"
    db["fixed/id"] = {"n": 1}
    assert db["fixed/id"]["n"] == 1
    with pytest.raises(couchdb.ResourceConflict):
        db["fixed/id"] = {"n": 2}
    with pytest.raises(couchdb.ResourceNotFound):
        db["none"]
    doc = db["fixed/id"]
    doc["n"] = 2
    db.save(doc)
    assert [old["n"] for old in db.revisions("fixed/id")] == [2, 1]
    assert len(db) == 2
    assert sorted(db) == sorted([doc_id, "fixed/id"])
    done = db.update([{"_id": "b1"}, {"_id": "b2"}, {"_id": "fixed/id"}])
    assert [ok for ok, _, _ in done] == [True, True, False]
    assert [row.id for row in db.view("_all_docs", startkey="b", endkey="c")] == ["b1", "b2"]
    db.copy("b1", "b3")
    db.delete(db["b2"])
    assert "b2" not in db
    rev_of_b1 = db["b1"].rev
    assert db.purge([db["b1"]])["purged"] == {"b1": [rev_of_b1]}
    assert db.compact()
    assert db.commit()["ok"]
    assert db.security == {}
    db.security = {"admins": {"names": ["x"]}}
    assert db.security["admins"]["names"] == ["x"]
    assert rev.startswith("1-")
    server.delete("a")
    assert "a" not in server


async def test_attachments(url: str) -> None:
    await asyncio.to_thread(_attachments, url)


def _attachments(url: str) -> None:
    db = couchdb.Server(url).create("a")
    db["x"] = {"n": 1}
    db.put_attachment(db["x"], io.BytesIO(b"hello"), "f.txt", "text/plain")
    assert db.get_attachment("x", "f.txt").read() == b"hello"
    assert db.get_attachment("x", "none") is None
    db.delete_attachment(db["x"], "f.txt")
    assert "_attachments" not in db["x"]


async def test_the_feed(url: str) -> None:
    await asyncio.to_thread(_feed, url)


def _feed(url: str) -> None:
    db = couchdb.Server(url).create("a")
    db["x"] = {}
    page = db.changes(since=0)
    assert [row["id"] for row in page["results"]] == ["x"]
    lines = db.changes(feed="continuous", since=0, timeout=50)
    assert [row.get("id") for row in lines] == ["x", None]


async def test_names_and_passwords() -> None:
    async with engine(admin=Administrator("boss", "s3cret:1")) as client:
        url = str(client.base_url)
        assert (await client.get("/")).status_code == 200
        assert (await client.put("/a")).status_code == 401
        assert (await client.put("/a", auth=("boss", "wrong"))).status_code == 401
        assert (await client.put("/a", auth=("boss", "s3cret:1"))).status_code == 201
        await asyncio.to_thread(_log_in, url)
        told = await client.post("/_session", json={"name": "boss", "password": "s3cret:1"})
        assert told.json() == {"ok": True, "name": "boss", "roles": ["_admin"]}
        assert (await client.get("/_session")).json()["userCtx"]["name"] == "boss"
        assert (await client.get("/a")).status_code == 200
        await client.delete("/_session")
        client.cookies.clear()
        assert (await client.get("/a")).status_code == 401
        client.cookies.set("AuthSession", "bm9uc2Vuc2U")
        assert (await client.get("/a")).status_code in {400, 401}


def _log_in(url: str) -> None:
    server = couchdb.Server(url)
    server.resource.credentials = ("boss", "s3cret:1")
    assert server["a"].info()["doc_count"] == 0
    token = server.login("boss", "s3cret:1")
    assert token
    assert server.logout(token)
