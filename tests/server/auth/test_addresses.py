"""Whose address a request counts for."""

import pytest
from starlette.requests import Request

from server.auth.limits import address_of


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "counted"),
    [
        ("192.0.2.1", "", (), "192.0.2.1"),
        ("192.0.2.1", "203.0.113.9", (), "192.0.2.1"),
        ("127.0.0.1", "203.0.113.9", ("127.0.0.1",), "203.0.113.9"),
        ("10.1.2.3", "203.0.113.9", ("10.0.0.0/8",), "203.0.113.9"),
        ("127.0.0.1", "", ("127.0.0.1",), "127.0.0.1"),
        ("127.0.0.1", "6.6.6.6, 203.0.113.9", ("127.0.0.1",), "203.0.113.9"),
        ("127.0.0.1", "203.0.113.9, 10.0.0.7", ("127.0.0.1", "10.0.0.0/8"), "203.0.113.9"),
        ("127.0.0.1", "6.6.6.6, nonsense", ("127.0.0.1",), "nonsense"),
        ("::1", "2001:db8::7", ("::1",), "2001:db8::7"),
        (None, "203.0.113.9", ("127.0.0.1",), ""),
    ],
)
def test_forwarded_addresses_are_believed_hop_by_hop_from_trusted_proxies(
    peer: str | None, forwarded: str, trusted: tuple[str, ...], counted: str
) -> None:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    client = (peer, 1234) if peer else None
    request = Request({"type": "http", "headers": headers, "client": client})
    assert address_of(request, trusted) == counted
