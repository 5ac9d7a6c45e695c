"""Feeds that wait: longpoll, continuous, eventsource. A waiting feed costs a future, not a thread."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import orjson
from starlette.responses import Response

from sync.errors import BadRequest
from sync.http import changes, query
from sync.http.answers import Feed, array
from sync.http.routing import Call
from sync.store.interface import Change, DatabaseMissing, Seq

if TYPE_CHECKING:
    from sync.http.changes import Question, Rows

LONGEST = 60_000
"""CouchDB's default timeout, heartbeat and upper bound of a timeout, in milliseconds."""


class Came(Enum):
    """What ended a wait."""

    CHANGE = "change"
    BEAT = "beat"
    END = "end"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a feed waits: with a heartbeat for ever, beating; else until the timeout."""

    seconds: float
    beats: bool

    @classmethod
    def of(cls, call: Call) -> "Patience":
        """Raises BadRequest, QueryInvalid."""
        beat = call.query.get("heartbeat")
        if beat is not None and beat != "false":
            if beat != "true" and not query.whole_number(call.query, "heartbeat"):
                raise BadRequest("The heartbeat value should be a positive integer (in milliseconds).")
            return cls((LONGEST if beat == "true" else int(beat)) / 1000, beats=True)
        timeout = query.whole_number(call.query, "timeout")
        return cls(min(LONGEST if timeout is None else timeout, LONGEST) / 1000, beats=False)

    async def wait(self, call: Call, since: Seq) -> Came:
        """Until there is a change, or the time has come to say something."""
        try:
            async with asyncio.timeout(self.seconds):
                await call.store.wait(call.db, since)
        except TimeoutError:
            return Came.BEAT if self.beats else Came.END
        except DatabaseMissing:
            return Came.END
        return Came.CHANGE


async def longpoll(call: Call, question: "Question") -> Response:
    """What is there, or else the first that comes."""
    patience = Patience.of(call)
    first = await anext(changes.stretches(call, question))
    if first.changes or question.descending:  # from the top down there is nothing to wait for
        return await changes.normal(call, question)
    return Feed(_until_first(call, question, first, patience))


async def _until_first(
    call: Call, question: "Question", rows: "Rows", patience: Patience
) -> AsyncIterator[bytes]:
    yield b'{"results":[\n'
    while not rows.changes:
        came = await patience.wait(call, rows.last_seq)
        if came is Came.END:
            break
        if came is Came.BEAT:
            yield b"\n"
            continue
        try:
            rows = await anext(changes.stretches(call, changes.from_now(question, rows)))
        except DatabaseMissing:
            break
    fence = b""
    async for _, lines in changes.RowWriter(call, question).batches(rows.changes):
        yield fence + array(lines)
        fence = b",\n"
    yield changes.tail(rows.last_seq, rows.pending)


async def continuous(call: Call, question: "Question") -> Response:
    """A row a line, for as long as the peer listens; the last line says where it ended."""
    lines = _lines(call, question, await _opened(call, question))
    return Feed(lines)


async def _opened(call: Call, question: "Question") -> Patience:
    """Whether the feed can be had at all: an error has its status only before the first byte."""
    await call.store.info(call.db)
    assert question is not None
    return Patience.of(call)


async def _lines(call: Call, question: "Question", patience: Patience) -> AsyncIterator[bytes]:
    last: Rows | None = None
    async for came in _endless(call, question, patience):
        if came is Came.BEAT:
            yield b"\n"
        elif not isinstance(came, Came):
            last = came[0]
            if came[2]:
                yield b"\n".join([*came[2], b""])
    if last is not None:
        yield b'{"last_seq":%b,"pending":%d}\n' % (orjson.dumps(last.last_seq), last.pending)


async def eventsource(call: Call, question: "Question") -> Response:
    """Rows as server-sent events, each with its sequence as the event's id."""
    return Feed(_events(call, question, await _opened(call, question)), "text/event-stream")


async def _events(call: Call, question: "Question", patience: Patience) -> AsyncIterator[bytes]:
    async for came in _endless(call, question, patience):
        if came is Came.BEAT:
            yield b"event: heartbeat\ndata: \n\n"
        elif not isinstance(came, Came):
            for change, line in zip(*came[1:], strict=True):
                yield b"data: %b\nid: %b\n\n" % (line, orjson.dumps(change.seq))


async def _endless(
    call: Call, question: "Question", patience: Patience
) -> AsyncIterator["tuple[Rows, Sequence[Change], list[bytes]] | Came"]:
    """Stretches of rendered rows, and beats between them, until the limit, the timeout, or a drop."""
    writer = changes.RowWriter(call, question)
    while True:
        try:
            async for rows in changes.stretches(call, question):
                yield rows, (), []
                async for some, lines in writer.batches(rows.changes):
                    yield rows, some, lines
                question = changes.from_now(question, rows)
        except DatabaseMissing:
            return
        if question.limit == 0 or question.descending:
            return
        while (came := await patience.wait(call, question.since)) is not Came.CHANGE:
            yield came
            if came is Came.END:
                return
