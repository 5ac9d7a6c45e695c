"""The shaped link is itself proved: it passes bytes unchanged, counts them, and holds them back."""

import asyncio

from tests.link import SLOW, Shape, link


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(65536):
        writer.write(chunk)
        await writer.drain()
    writer.close()


async def talk(shape: Shape, sent: bytes) -> tuple[bytes, int, int, int, float]:
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    loop = asyncio.get_running_loop()
    async with link(server.sockets[0].getsockname()[1], shape) as middle:
        begun = loop.time()
        reader, writer = await asyncio.open_connection("127.0.0.1", middle.port)
        writer.write(sent)
        writer.write_eof()
        back = await reader.read(-1)
        took = loop.time() - begun
        writer.close()
        tally = middle.tally
    server.close()
    return back, tally.up, tally.down, tally.requests, took


async def test_an_open_link_passes_every_byte_and_counts_requests() -> None:
    sent = b"GET / HTTP/1.1\r\n\r\n" + bytes(range(256)) * 400
    back, up, down, requests, _ = await talk(Shape(), sent)
    assert back == sent
    assert (up, down, requests) == (len(sent), len(sent), 1)


async def test_a_slow_link_cannot_be_faster_than_its_rate_and_round_trip() -> None:
    sent = bytes(5_000)
    back, _, _, _, took = await talk(SLOW, sent)
    assert back == sent
    # A lower bound is physics, not a timing budget: handshake and one round trip, 5 kB up at 50 kbit/s.
    assert took >= 0.6 + 0.6 + 5_000 * 8 / 50_000
