"""How much a JSON body may unpack to. Pure."""

from sync.errors import TooLarge

MOST = 10**6
"""Arrays and objects in one body: each takes some thirty times its two bytes of text in memory."""


def check(data: bytes) -> None:
    """Raises TooLarge. Brackets in text count as well: who sends so many can halve the batch."""
    if len(data) > MOST and data.count(b"[") + data.count(b"{") > MOST:
        raise TooLarge
