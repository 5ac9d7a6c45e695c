"""`_bulk_get`: winners take a short way, and nobody may see a difference."""

from typing import Any

import orjson
import pytest

from tests.engine.running import engine
from tests.engine.test_answers import ask


def dumps(value: object) -> str:
    """JSON as a body."""
    return orjson.dumps(value).decode()


KINDS: list[dict[str, Any]] = [
    {"_id": "plain", "_rev": "1-a", "n": 1},
    {"_id": "a/b+c\u0000ế", "_rev": '1-odd "digest"', "n": 2},
    {"_id": "empty", "_rev": "1-a"},
    {"_id": "line", "_revisions": {"start": 3, "ids": ["c", "b", "a"]}, "n": 3},
    {"_id": "gone", "_revisions": {"start": 2, "ids": ["b", "a"]}, "_deleted": True},
    {"_id": "gone with words", "_rev": "1-a", "_deleted": True, "why": "moved"},
    {"_id": "fork", "_revisions": {"start": 2, "ids": ["b", "a"]}, "n": 4},
    {"_id": "fork", "_revisions": {"start": 2, "ids": ["c", "a"]}, "n": 5},
    {
        "_id": "files",
        "_rev": "1-a",
        "_attachments": {"a.txt": {"content_type": "text/plain", "data": "YQ=="}},
    },
]
ASKED = [
    ("plain", "1-a"), ("a/b+c\u0000ế", "1-odd \"digest\""), ("empty", "1-a"), ("line", "3-c"),
    ("line", "2-b"), ("gone", "2-b"), ("gone with words", "1-a"), ("fork", "2-b"), ("fork", "2-c"),
    ("fork", "1-a"), ("files", "1-a"), ("plain", "1-a"), ("plain", "2-z"), ("nobody", "1-a"),
    ("_local/x", "0-1"),
]  # fmt: skip


@pytest.mark.parametrize("query", ["", "revs=true", "latest=true", "revs=true&latest=true"])
async def test_a_winner_among_many_is_read_as_it_is_read_alone(query: str) -> None:
    async with engine() as client:
        await client.put("/db")
        assert await ask(client, "POST", "/db/_bulk_docs", dumps({"docs": KINDS, "new_edits": False})) == []
        await client.put("/db/_local/x", json={"n": 1})
        asked = [{"id": doc_id, "rev": rev} for doc_id, rev in ASKED]
        many = await ask(client, "POST", f"/db/_bulk_get?{query}", dumps({"docs": asked}))
        # A single read of that kind never takes the short way, which is for winners and nothing beside.
        alone = [
            (await ask(client, "POST", f"/db/_bulk_get?{query}&local_seq=true", dumps({"docs": [one]})))[
                "results"
            ]
            for one in asked
        ]
        assert [row["id"] for row in many["results"]] == [doc_id for doc_id, _ in ASKED]
        for row, [other] in zip(many["results"], alone, strict=True):
            for doc in other["docs"]:
                doc.get("ok", {}).pop("_local_seq", None)
            assert row == other


@pytest.mark.parametrize(
    "item", [1, None, [], {}, {"id": []}, {"id": {}}, {"id": "plain", "rev": []}, {"rev": "1-a"}]
)
async def test_what_names_no_document_is_a_row_of_its_own(item: object) -> None:
    async with engine() as client:
        await client.put("/db")
        await client.put("/db/plain", json={})
        rows = (await ask(client, "POST", "/db/_bulk_get", dumps({"docs": [item, {"id": "plain"}]})))[
            "results"
        ]
        assert "error" in rows[0]["docs"][0]
        assert rows[1]["docs"][0]["ok"]["_id"] == "plain"
