"""The administrator's password cannot be guessed at leisure."""

from base64 import b64encode

import pytest
from starlette.requests import HTTPConnection

from sync.errors import TooManyRequests, Unauthorized
from sync.http import bare as guessing
from sync.http.bare import MOST_WRONG, WITHIN, Administrator, Bare


async def test_after_so_many_wrong_passwords_an_address_must_wait_and_no_other() -> None:
    now = 1_000_000.0
    bare = Bare(Administrator("admin", "secret"), {"localhost"}, lambda: now, b"key")

    async def try_(secret: str, address: str) -> str:
        basic = b"Basic " + b64encode(f"admin:{secret}".encode())
        headers = [(b"host", b"localhost"), (b"authorization", basic)]
        scope = {"type": "http", "headers": headers, "client": (address, 1)}
        return (await bare.identify(HTTPConnection(scope))).id

    for n in range(MOST_WRONG):
        now += 1
        with pytest.raises(Unauthorized):
            await try_(f"wrong {n}", "10.0.0.1")
    with pytest.raises(TooManyRequests):
        await try_("secret", "10.0.0.1")
    with pytest.raises(TooManyRequests):
        bare.cookie("10.0.0.1", "admin", "secret")  # what `POST /_session` asks for
    assert await try_("secret", "10.0.0.2") == "admin"
    now += WITHIN - MOST_WRONG + 1
    assert await try_("secret", "10.0.0.1") == "admin"
    with pytest.raises(Unauthorized):
        await try_("wrong", "10.0.0.1")
    with pytest.raises(TooManyRequests):
        await try_("secret", "10.0.0.1")


async def test_many_addresses_of_one_customer_are_one_and_make_nobody_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(guessing, "_MOST_ADDRESSES", 5)
    bare = Bare(Administrator("admin", "secret"), {"localhost"}, lambda: 1e6, b"key")

    async def wrong(address: str) -> None:
        headers = [(b"host", b"localhost"), (b"authorization", b"Basic " + b64encode(b"admin:wrong"))]
        scope = {"type": "http", "headers": headers, "client": (address, 1)}
        await bare.identify(HTTPConnection(scope))

    for n in range(MOST_WRONG):
        with pytest.raises(Unauthorized):
            await wrong(f"2001:db8::{n:x}")
    for n in range(20):
        with pytest.raises(Unauthorized):
            await wrong(f"10.0.0.{n}")
    with pytest.raises(TooManyRequests):
        await wrong("2001:db8::ffff")
