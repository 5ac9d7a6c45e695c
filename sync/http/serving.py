"""What the engine asks of uvicorn, where one serves it by that."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from socket import socket
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sync.http.answers import Cut

LONGEST_HEAD = 64 * 1024
"""Bytes that a request may have before its body."""
LONGEST_WAIT = 30.0
"""Seconds from a request's first byte to the end of its head."""

_TOO_LONG = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: application/json\r\ncontent-length: 67\r\nconnection: close\r\n\r\n"
    b'{"error":"bad_request","reason":"The request headers are too long"}'
)


def configured(config: uvicorn.Config) -> uvicorn.Config:
    """The configuration, with what is right for an engine."""
    config.http = Protocol
    logging.getLogger("uvicorn.error").addFilter(_is_an_error)
    return config


def _is_an_error(record: logging.LogRecord) -> bool:
    """An answer that is cut off because its database was dropped is none."""
    return not (isinstance(record.exc_info, tuple) and isinstance(record.exc_info[1], Cut))


class Protocol(HttpToolsProtocol):
    """Ends a connection whose request has a head without end: it would be held for as long as it comes."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._head = 0
        self._in_head = True
        self._deadline: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        """Count what comes before a head is complete; what comes at once with its end is short enough."""
        if self._in_head:
            if self._deadline is None:
                self._deadline = self.loop.call_later(LONGEST_WAIT, self._give_up)
            self._head += len(data)
            if self._head > LONGEST_HEAD and b"\r\n\r\n" not in data:
                self.transport.write(_TOO_LONG)
                self._give_up()
                return
        super().data_received(data)

    def on_headers_complete(self) -> None:
        """The head is complete."""
        self._in_head, self._head = False, 0
        self._forget()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The next thing is a head again."""
        super().on_message_complete()
        self._in_head = True

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any more."""
        self._forget()
        super().connection_lost(exc)

    def _give_up(self) -> None:
        self._forget()
        self.transport.close()

    def _forget(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class Server(uvicorn.Server):
    """Closes what it served before the signal that ended it is raised again, which ends the process."""

    def __init__(self, config: uvicorn.Config, close: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._close = close

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """When all answers are given, or the patience with them ends."""
        await super().shutdown(sockets)
        await self._close()
