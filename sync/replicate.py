"""One-shot replication between any two CouchDB-compatible databases, by the protocol, resumable.

Read the source's feed from the last checkpoint that both sides hold; ask the target what it lacks; read that
with its ancestry and attachments; write it with `new_edits: false`; then note on both sides how far it came.
A run that is cut goes on from its last checkpoint, and what it sends twice changes nothing.
"""

import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx
import orjson

BATCH = 100
"""Changes read at once; what is written at once is halved where the target says 413."""
HISTORY = 50
"""Sessions that a checkpoint remembers."""

Json = dict[str, Any]


class ReplicationFailed(Exception):
    """A peer answered what replication cannot go on from."""


@dataclass(slots=True)
class Report:
    """What a run did; `refused` are revisions that the target will not have, `gone` those that the source
    lists but, asked for one by one, says it does not have (purged since)."""

    read: int = 0
    written: int = 0
    missing_checked: int = 0
    last_seq: Any = 0
    refused: list[Json] = field(default_factory=list)
    gone: list[tuple[str, str]] = field(default_factory=list)


class Peer:
    """A database behind a URL, credentials inside it or not. Raises ReplicationFailed for what is none."""

    def __init__(self, client: httpx.AsyncClient, url: str) -> None:
        self._client = client
        try:
            self.url = httpx.URL(url.rstrip("/"))
        except httpx.InvalidURL as error:
            raise ReplicationFailed(f"An address that cannot be read: {error}") from error
        if self.url.query or self.url.fragment:
            raise ReplicationFailed(f"{self.name} is no address of a database: it has a query or a fragment.")

    @property
    def name(self) -> str:
        """The address without credentials."""
        return str(self.url.copy_with(username=None, password=None, query=None, fragment=None))

    async def ask(
        self, method: str, path: str = "", *, body: object = None, query: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Send a request, the body as JSON. Raises ReplicationFailed where the peer cannot be reached."""
        content = None if body is None else orjson.dumps(body)
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        url = httpx.URL(str(self.url.copy_with(username=None, password=None)) + path, params=query)
        auth = (self.url.username, self.url.password) if self.url.username else None
        try:
            return await self._client.request(method, url, content=content, headers=headers, auth=auth)
        except httpx.HTTPError as error:
            raise ReplicationFailed(f"{self.name}: {str(error) or type(error).__name__}") from error

    async def value(self, method: str, path: str = "", **rest: Any) -> Any:
        """The JSON of a successful answer. Raises ReplicationFailed."""
        answer = await self.ask(method, path, **rest)
        if not answer.is_success:
            raise ReplicationFailed(f"{method} {self.name}{path}: {answer.status_code} {answer.text[:200]}")
        return self.json_of(answer)

    def json_of(self, answer: httpx.Response) -> Any:
        """What an answer says, which another server at that address may not say in JSON.

        Raises ReplicationFailed.
        """
        try:
            return orjson.loads(answer.content)
        except orjson.JSONDecodeError as error:
            raise ReplicationFailed(f"{self.name} does not answer in JSON: is it a database's?") from error

    async def make(self) -> None:
        """Create the database where it is not there. Raises ReplicationFailed."""
        if (await self.ask("GET")).status_code == 404:
            answer = await self.ask("PUT")
            if answer.status_code not in {201, 202, 412}:
                raise ReplicationFailed(f"{self.name} cannot be created: {answer.text[:200]}")

    async def checkpoint(self, name: str) -> Json:
        """The checkpoint that it keeps under a name, `{}` where none."""
        answer = await self.ask("GET", f"/_local/{name}")
        return self.json_of(answer) if answer.is_success else {}


async def replicate(
    client: httpx.AsyncClient,
    source_url: str,
    target_url: str,
    *,
    session: str,
    create: bool = False,
    progress: Callable[[Report, int], None] = lambda _report, _pending: None,
) -> Report:
    """Bring the target up to date. `session` names this run; `progress` hears after each batch what is left.

    Raises ReplicationFailed.
    """
    source, target = Peer(client, source_url), Peer(client, target_url)
    await source.value("GET")
    if create:
        await target.make()
    await target.value("GET")
    name = checkpoint_id(source.name, target.name)
    kept = [await peer.checkpoint(name) for peer in (source, target)]
    report = Report(last_seq=common_position(*kept))
    start = report.last_seq
    async for changes, last_seq, pending in _feed(source, start):
        missing = await _missing(target, changes)
        report.missing_checked += sum(len(revs) for revs in changes.values())
        docs, gone = await _read(source, missing)
        report.gone += gone
        report.read += len(docs)
        refused = await _write(target, docs)
        report.refused += refused
        report.written += len(docs) - len(refused)
        report.last_seq = last_seq
        entry = _session(session, start, report)
        for place, peer in enumerate((source, target)):
            kept[place] = await _save(peer, name, kept[place], entry)
        progress(report, pending)
    return report


def checkpoint_id(source: str, target: str) -> str:
    """The same for every run between the same two."""
    return hashlib.sha256(f"camket 1\n{source}\n{target}".encode()).hexdigest()[:32]


def common_position(one: Json, other: Json) -> Any:
    """The last position of which both sides know: of the same session, or the newest that both remember."""
    if one.get("session_id") and one.get("session_id") == other.get("session_id"):
        return one.get("source_last_seq", 0)
    remembered = {entry.get("session_id"): entry for entry in other.get("history", ())}
    for entry in one.get("history", ()):
        if entry.get("session_id") in remembered:
            return entry.get("recorded_seq", 0)
    return 0


async def _feed(source: Peer, since: Any) -> AsyncIterator[tuple[dict[str, list[str]], Any, int]]:
    """Pages of `{id: leaves}`, with the position after each and how much is left."""
    while True:
        position = since if isinstance(since, str) else orjson.dumps(since).decode()
        query = {"style": "all_docs", "limit": str(BATCH), "since": position}
        page = await source.value("GET", "/_changes", query=query)
        changes = {row["id"]: [change["rev"] for change in row["changes"]] for row in page["results"]}
        if not changes:
            return
        yield changes, page["last_seq"], int(page.get("pending", 0))
        if len(page["results"]) < BATCH or page["last_seq"] == since:
            return
        since = page["last_seq"]


async def _missing(target: Peer, changes: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    answer = await target.value("POST", "/_revs_diff", body=changes)
    return [(doc_id, rev) for doc_id, row in answer.items() for rev in row["missing"]]


async def _read(source: Peer, missing: Sequence[tuple[str, str]]) -> tuple[list[Json], list[tuple[str, str]]]:
    """The documents with ancestry and attachments, and what the source does not have any more.

    What a bulk read does not give, for whatever reason, is asked for by itself: only what the source then
    calls missing is passed over. Raises ReplicationFailed for any other error, so that no checkpoint moves
    past a document that was not read.
    """
    docs = {(doc["_id"], doc["_rev"]): doc for doc in await _in_bulk(source, missing)}
    given = {(doc["_id"], rev) for doc in docs.values() for rev in _with_ancestors(doc)}
    gone: list[tuple[str, str]] = []
    for doc_id, rev in missing:
        if (doc_id, rev) not in given:
            found = await _open(source, doc_id, rev)
            docs |= {(doc["_id"], doc["_rev"]): doc for doc in found}
            if not found:
                gone.append((doc_id, rev))
    return list(docs.values()), gone


async def _in_bulk(source: Peer, missing: Sequence[tuple[str, str]]) -> list[Json]:
    """What a bulk read gives; nothing where the source knows none."""
    if not missing:
        return []
    query = {"revs": "true", "attachments": "true", "latest": "true"}
    body = {"docs": [{"id": doc_id, "rev": rev} for doc_id, rev in missing]}
    answer = await source.ask("POST", "/_bulk_get", body=body, query=query)
    if not answer.is_success:
        return []
    return [
        row["ok"] for result in source.json_of(answer)["results"] for row in result["docs"] if "ok" in row
    ]


def _with_ancestors(doc: Json) -> Iterable[str]:
    """The revisions for which a document stands: the latest of a branch answers for all of it."""
    history = doc["_revisions"]
    return [f"{history['start'] - back}-{digest}" for back, digest in enumerate(history["ids"])]


async def _open(source: Peer, doc_id: str, rev: str) -> list[Json]:
    """The latest of a revision's branch; nothing where the source says that it is missing."""
    query = {
        "revs": "true",
        "attachments": "true",
        "latest": "true",
        "open_revs": orjson.dumps([rev]).decode(),
    }
    answer = await source.ask("GET", f"/{_address(doc_id)}", query=query)
    said = source.json_of(answer)
    if answer.status_code == 404 and isinstance(said, dict) and said.get("error") == "not_found":
        return []
    if not isinstance(said, list) or not all("ok" in row or "missing" in row for row in said):
        raise ReplicationFailed(
            f"{source.name} does not give {doc_id} {rev}: {answer.status_code} {answer.text[:200]}"
        )
    return [row["ok"] for row in said if "ok" in row]


def _address(doc_id: str) -> str:
    prefix, slash, name = doc_id.partition("/")
    return f"_design/{quote(name, safe='')}" if prefix == "_design" and slash else quote(doc_id, safe="")


async def _write(target: Peer, docs: Sequence[Json]) -> list[Json]:
    """Write documents as they are; answers those refused. A batch that is too large goes in halves."""
    if not docs:
        return []
    answer = await target.ask("POST", "/_bulk_docs", body={"docs": docs, "new_edits": False})
    if answer.status_code == 413:
        if len(docs) == 1:
            return [{"id": docs[0]["_id"], "rev": docs[0]["_rev"], "error": "too_large"}]
        half = len(docs) // 2
        return await _write(target, docs[:half]) + await _write(target, docs[half:])
    if answer.status_code not in {201, 202}:
        raise ReplicationFailed(f"{target.name}: {answer.status_code} {answer.text[:200]}")
    refused = [row for row in target.json_of(answer) if "error" in row]
    wrong = [row for row in refused if row["error"] not in {"forbidden", "unauthorized", "too_large"}]
    if wrong:
        raise ReplicationFailed(f"{target.name}: {wrong[0]}")
    return refused


def _session(session: str, start: Any, report: Report) -> Json:
    return {
        "session_id": session,
        "start_last_seq": start,
        "recorded_seq": report.last_seq,
        "docs_read": report.read,
        "docs_written": report.written,
        "doc_write_failures": len(report.refused),
    }


async def _save(peer: Peer, name: str, kept: Json, entry: Json) -> Json:
    """Write the checkpoint; a later run goes on from it. Raises ReplicationFailed."""
    past = [row for row in kept.get("history", ()) if row.get("session_id") != entry["session_id"]]
    fresh = {
        "session_id": entry["session_id"],
        "source_last_seq": entry["recorded_seq"],
        "replication_id_version": 4,
        "history": [entry, *past][:HISTORY],
    }
    if "_rev" in kept:
        fresh["_rev"] = kept["_rev"]
    answer = await peer.value("PUT", f"/_local/{name}", body=fresh)
    return {**fresh, "_rev": answer["rev"]}
