"""Photographs over real HTTP: cut, resumed, wrong in every way, and seen by those who may.

All in one file: every story is told with the same camera.
"""

import asyncio
import errno
import pkgutil
import struct
import zlib
from hashlib import sha256
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from anyio import from_thread
from PIL import Image

from server import checking
from server.auth import devices, users
from server.blobs import Name
from server.burying import bury
from server.pictures import thumbnail
from server.release import Warden
from tests.server.http.served import HAMLET, Phone, Served, served

INSPECTION = "01J8ZQ4T6N3VXK2M5R7W9Y0ABC"
DB = f"media-{HAMLET}"


def noise(width: int = 400, height: int = 300) -> Image.Image:
    """Pixels that do not compress, the same each time."""
    seed = b"".join(sha256(bytes([i % 256, i // 256])).digest() for i in range(width * height * 3 // 32 + 1))
    return Image.frombytes("RGB", (width, height), seed[: width * height * 3])


def encoded(image: Image.Image, kind: str = "WEBP", **how: Any) -> bytes:
    out = BytesIO()
    image.save(out, kind, **how)
    return out.getvalue()


@pytest.fixture(scope="module")
def webp() -> bytes:
    """About 100 kB."""
    picture = encoded(noise(), quality=60)
    assert 60_000 < len(picture) < 150_000
    return picture


class Camera:
    """A phone that sends pictures."""

    def __init__(self, phone: Phone, db: str = DB) -> None:
        self.phone, self.db, self.http = phone, db, phone.served.http

    def document(self, data: bytes, **fields: Any) -> dict[str, Any]:
        """The document of a picture."""
        name, image = sha256(data).hexdigest(), Image.open(BytesIO(data)) if not fields else None
        width, height = image.size if image else (1, 1)
        mime = "image/webp" if data[:4] == b"RIFF" else "image/jpeg"
        digest = sha256(data + b"1").hexdigest()[:32]
        return {
            "_id": f"photo:{name}",
            "_rev": f"1-{digest}",
            "_revisions": {"start": 1, "ids": [digest]},
            **{"type": "photo", "v": 1, "by": self.phone.user},
            "stamps": {"*": f"{self.phone.now():013d}-0000-{self.phone.device}"},
            **{"mime": mime, "bytes": len(data), "width": width, "height": height},
            **{"inspection": INSPECTION, "item": "tap"},
        } | fields

    async def send(self, data: bytes, **fields: Any) -> Any:
        """Send the document of a picture; what is said of it where it does not enter."""
        asked = {"new_edits": False, "docs": [self.document(data, **fields)]}
        answer = await self.http.post(
            f"/db/{self.db}/_bulk_docs", json=asked, headers=self.phone.bearer("credential")
        )
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def describe(self, data: bytes, **fields: Any) -> str:
        """The same where it enters; the picture's name."""
        assert await self.send(data, **fields) == []
        return sha256(data).hexdigest()

    async def put(
        self,
        name: str,
        data: bytes,
        start: int = 0,
        end: int | None = None,
        credential: str = "credential",
        **headers: str,
    ) -> httpx.Response:
        """One chunk of a picture."""
        end = len(data) if end is None else end
        mime = "image/webp" if data[:4] == b"RIFF" else "image/jpeg"
        sent = {"Content-Type": mime, "Content-Range": f"bytes {start}-{end - 1}/{len(data)}"}
        sent |= self.phone.bearer(credential) | {key.replace("_", "-"): v for key, v in headers.items()}
        return await self.http.put(f"/db/{self.db}/_blob/{name}", content=data[start:end], headers=sent)

    async def held(self, name: str) -> tuple[int, bool]:
        answer = await self.http.head(f"/db/{self.db}/_blob/{name}", headers=self.phone.bearer("credential"))
        assert answer.status_code == 200
        return int(answer.headers["upload-offset"]), answer.headers["upload-complete"] == "?1"

    async def get(self, name: str, **query: str) -> httpx.Response:
        return await self.http.get(
            f"/db/{self.db}/_blob/{name}", params=query, headers=self.phone.bearer("credential")
        )


async def camera(here: Served, **person: Any) -> Camera:
    return Camera(await here.phone(here.person("Lý Văn Nam", **person) if person else None))


async def test_a_photo_arrives_whole_and_comes_back_as_it_was(tmp_path: Path, webp: bytes) -> None:
    async with served(tmp_path) as here:
        phone = await camera(here)
        name = await phone.describe(webp)
        assert await phone.held(name) == (0, False)
        answer = await phone.put(name, webp)
        assert answer.json() == {"offset": len(webp), "complete": True}
        assert await phone.held(name) == (len(webp), True)
        back = await phone.get(name)
        assert back.content == webp
        assert back.headers["content-type"] == "image/webp"
        assert back.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert back.headers["x-content-type-options"] == "nosniff"
        assert back.headers["cache-control"] == "private, no-store"
        assert back.headers["content-disposition"] == f'inline; filename="{name[:16]}.webp"'
        small = await phone.get(name, size="thumb")
        assert Image.open(BytesIO(small.content)).size == (320, 240)
        assert len(small.content) < len(webp)
        again = await phone.put(name, webp)
        assert again.json() == {"offset": len(webp), "complete": True}


async def test_a_photo_cut_at_every_kilobyte_is_resumed_byte_for_byte(tmp_path: Path, webp: bytes) -> None:
    """The link breaks in the middle of a body, after each kilobyte: what came is kept, the rest follows."""
    async with served(tmp_path) as here:
        phone = await camera(here)
        name = await phone.describe(webp)
        host, port = here.http.base_url.host, here.http.base_url.port
        at = 0
        while at + 1024 < len(webp):
            await cut(phone, name, webp, at, at + 1024, (host, port or 80))
            at = await until(phone, name, at + 1024)
        answer = await phone.put(name, webp, at)
        assert answer.json()["complete"] is True
        assert (await phone.get(name)).content == webp


async def cut(phone: Camera, name: str, data: bytes, start: int, stop: int, address: tuple[str, int]) -> None:
    """Say that all of the rest comes, send up to `stop`, hang up."""
    _, writer = await asyncio.open_connection(*address)
    head = [
        f"PUT /db/{DB}/_blob/{name} HTTP/1.1",
        "Host: camket",
        "Content-Type: image/webp",
        f"Content-Length: {len(data) - start}",
        f"Content-Range: bytes {start}-{len(data) - 1}/{len(data)}",
        f"Authorization: {phone.phone.bearer('credential')['Authorization']}",
    ]
    writer.write("\r\n".join([*head, "", ""]).encode() + data[start:stop])
    await writer.drain()
    await until(phone, name, stop)
    writer.close()
    await writer.wait_closed()


async def until(phone: Camera, name: str, offset: int) -> int:
    """Ask until so much is held: the request that brings it may still be under way."""
    while (held := (await phone.held(name))[0]) < offset:  # noqa: ASYNC110 - another process's event, in effect
        await asyncio.sleep(0.01)
    return held


async def test_a_photo_goes_on_after_the_server_restarted(tmp_path: Path, webp: bytes) -> None:
    async with served(tmp_path) as here:
        phone = await camera(here)
        joined, name = phone.phone.joined, await phone.describe(webp)
        await phone.put(name, webp, 0, 30_000)
    async with served(tmp_path) as here:
        phone = Camera(Phone(here, joined))
        assert await phone.held(name) == (30_000, False)
        await phone.put(name, webp, 30_000)
        assert (await phone.get(name)).content == webp
    async with served(tmp_path) as here:
        assert (await Camera(Phone(here, joined)).get(name)).content == webp


class Killed(Exception):
    """The server died here."""


STEPS = {
    "before it is checked": ("server.blobs.Blobs.finish", 1),
    "before it has a thumbnail": ("server.pictures.thumbnail", 1),
    "before the thumbnail is on the disk": ("server.blobs.os.fsync", 1),
    "before the thumbnail has its name": ("pathlib.Path.replace", 1),
    "once the thumbnail is there": ("server.blobs._write", 2),
    "before it is on the disk itself": ("server.blobs.os.fsync", 3),
    "before it has its name": ("pathlib.Path.replace", 2),
    "once it has its name": ("server.blobs.os.fsync", 4),
    "before what came is cleared away": ("pathlib.Path.unlink", 1),
}


@pytest.mark.parametrize("error", [Killed(), OSError(errno.ENOSPC, "full")], ids=["killed", "full"])
async def test_a_photo_whose_server_dies_at_any_step_is_never_said_to_be_there_unless_it_is(
    tmp_path: Path, webp: bytes, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The phone asks how much is there, and sends from that byte on: then it is whole."""
    async with served(tmp_path) as here:
        phone = await camera(here)
        for step, (target, number) in enumerate(STEPS.values()):
            data = another(webp, step)
            name = await phone.describe(data)
            with monkeypatch.context() as patch:
                dies(patch, target, number, error)
                answer = await phone.put(name, data)
            offset, complete = await phone.held(name)
            assert complete == ((await phone.get(name)).status_code == 200)
            assert complete or (offset < len(data) and not answer.is_success)
            assert (await phone.put(name, data, min(offset, len(data) - 1))).json()["complete"] is True
            assert (await phone.get(name)).content == data
            assert (await phone.get(name, size="thumb")).status_code == 200


def another(webp: bytes, number: int) -> bytes:
    """A picture of its own: other pixels."""
    image = Image.open(BytesIO(webp)).convert("RGB")
    image.putpixel((0, 0), (number * 20, 255, 0))
    image.paste((number * 20, 255, 0), (0, 0, 64, 64))
    into = BytesIO()
    image.save(into, "WEBP", quality=60)
    return into.getvalue()


def dies(patch: pytest.MonkeyPatch, target: str, number: int, error: Exception) -> None:
    """Let the so-manyth call of a function end everything."""
    place, _, function = target.rpartition(".")
    owner = pkgutil.resolve_name(place)
    ours, calls = getattr(owner, function), count(1)

    def call(*args: Any, **kwargs: Any) -> Any:
        if next(calls) == number:
            raise error
        return ours(*args, **kwargs)

    patch.setattr(owner, function, call)


async def test_chunks_that_overlap_are_passed_over_and_a_gap_is_refused(tmp_path: Path, webp: bytes) -> None:
    async with served(tmp_path) as here:
        phone = await camera(here)
        name = await phone.describe(webp)
        await phone.put(name, webp, 0, 20_000)
        assert (await phone.put(name, webp, 0, 20_000)).json()["offset"] == 20_000
        assert (await phone.put(name, webp, 10_000, 30_000)).json()["offset"] == 30_000
        gap = await phone.put(name, webp, 40_000)
        assert (gap.status_code, gap.json()["error"]) == (409, "conflict")
        assert "30000" in gap.json()["reason"]
        await phone.put(name, webp, 30_000)
        assert (await phone.get(name)).content == webp


async def test_bytes_of_another_name_are_thrown_away_and_the_right_ones_enter(
    tmp_path: Path, webp: bytes
) -> None:
    async with served(tmp_path) as here:
        phone = await camera(here)
        name = await phone.describe(webp)
        damaged = webp[:50_000] + b"\x00" + webp[50_001:]
        wrong = await phone.put(name, damaged)
        assert (wrong.status_code, wrong.json()["error"]) == (422, "wrong_digest")
        assert (await phone.get(name)).status_code == 404
        assert await phone.held(name) == (0, False)
        assert (await phone.put(name, webp)).json()["complete"] is True


def exif() -> bytes:
    tags = Image.Exif()
    tags[0x0110] = "SM-A057F"
    return tags.tobytes()


def png_bomb(width: int, height: int) -> bytes:
    """A PNG of a few kB that unpacks to gigabytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1_000_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def jpeg_claiming(width: int, height: int) -> bytes:
    """A small JPEG whose header says that it is huge."""
    data = bytearray(encoded(noise(16, 16), "JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


SMALL = noise(64, 48)
GIF = encoded(SMALL, "GIF")
TWO: dict[str, Any] = {"save_all": True, "append_images": [noise(64, 48).rotate(180)], "duration": 100}
REFUSED: list[tuple[str, bytes, dict[str, Any], str]] = [
    ("EXIF in a JPEG", encoded(SMALL, "JPEG", exif=exif()), {}, "has_metadata"),
    ("EXIF in a WebP", encoded(SMALL, exif=exif()), {}, "has_metadata"),
    ("XMP in a WebP", encoded(SMALL, xmp=b"<x:xmpmeta/>"), {}, "has_metadata"),
    ("a comment", encoded(SMALL, "JPEG", comment=b"Ba Vi"), {}, "has_metadata"),
    ("something behind a JPEG", encoded(SMALL, "JPEG") + b"PK\x03\x04", {}, "has_metadata"),
    ("something behind a WebP", encoded(SMALL) + b"<script>", {}, "has_metadata"),
    ("a truncated JPEG", encoded(SMALL, "JPEG")[:-200], {}, "not_a_picture"),
    ("a truncated WebP", encoded(SMALL)[:-200], {}, "not_a_picture"),
    ("an animation", encoded(SMALL, **TWO), {}, "not_a_picture"),
    ("a PNG that says JPEG", encoded(SMALL, "PNG"), {"mime": "image/jpeg"}, "not_a_picture"),
    ("a GIF that says JPEG", GIF, {"mime": "image/jpeg"}, "not_a_picture"),
    ("a page", b"<html><script>1</script></html>", {"mime": "image/jpeg"}, "not_a_picture"),
    ("a PNG bomb", png_bomb(30_000, 30_000), {"mime": "image/jpeg"}, "not_a_picture"),
    ("a JPEG bomb", jpeg_claiming(60_000, 60_000), {"width": 4096, "height": 4096}, "wrong_size"),
    ("too many pixels", jpeg_claiming(4096, 4096), {"width": 4096, "height": 4096}, "wrong_size"),
    ("a side that is too long", encoded(noise(4112, 8)), {"width": 4096, "height": 8}, "wrong_size"),
]


@pytest.mark.parametrize(
    ("data", "said", "error"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
async def test_what_is_no_plain_picture_is_refused_and_leaves_nothing(
    tmp_path: Path, data: bytes, said: dict[str, Any], error: str
) -> None:
    async with served(tmp_path) as here:
        phone = await camera(here)
        name = await phone.describe(data, **said or {"width": 64, "height": 48})
        answer = await phone.put(name, data, Content_Type=said.get("mime") or _mime(data))
        assert (answer.status_code, answer.json()["error"]) == (422, error)
        assert any(word in answer.json()["reason"] for word in ("ảnh", "Ảnh"))
        assert await phone.held(name) == (0, False)
        assert [path for path in (tmp_path / "media").rglob("*") if path.is_file()] == []


def _mime(data: bytes) -> str:
    return "image/webp" if data[:4] == b"RIFF" else "image/jpeg"


async def test_more_than_150_kb_is_refused_before_it_is_read(tmp_path: Path, webp: bytes) -> None:
    async with served(tmp_path) as here:
        phone = await camera(here)
        name = await phone.describe(webp)
        big = webp + bytes(150_000)
        answer = await phone.put(name, big, Accept_Language="en")
        assert (answer.status_code, answer.json()["error"]) == (413, "too_large")
        assert answer.json()["reason"].startswith("The photo is too large (150 kB")
        longer = await phone.put(name, webp + b"!")
        assert (longer.status_code, longer.json()["error"]) == (422, "wrong_digest")
        lying = await phone.put(name, webp, 0, 40_000, Content_Range=f"bytes 0-9/{len(webp)}")
        assert lying.status_code == 400
        assert (await phone.held(name))[0] == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"Content_Range": "bytes */100"},
        {"Content_Range": "bytes 9-3/100000"},
        {"Content_Range": "items 0-9/100000"},
        {"Content_Type": "image/png"},
        {"Content_Encoding": "gzip"},
    ],
)
async def test_a_request_that_makes_no_sense_writes_nothing(
    tmp_path: Path, webp: bytes, headers: dict[str, Any]
) -> None:
    async with served(tmp_path) as here:
        phone = await camera(here)
        name = await phone.describe(webp)
        assert (await phone.put(name, webp, **headers)).status_code in {400, 415}
        assert await phone.held(name) == (0, False)


async def test_only_those_who_walk_the_hamlet_may_send_or_see_its_photos(tmp_path: Path, webp: bytes) -> None:
    async with served(tmp_path) as here:
        mine, theirs = await camera(here), await camera(here, hamlets=["khuoi"])
        name = await mine.describe(webp)
        await mine.put(name, webp)
        for answer in (
            await theirs.get(name),
            await theirs.get(name, size="thumb"),
            await theirs.put(name, webp),
        ):
            assert (answer.status_code, answer.json()["error"]) == (403, "forbidden")
        address = f"/db/{DB}/_blob/{name}"
        assert (await here.http.get(address)).status_code == 401
        assert (await here.http.get(address, headers=mine.phone.bearer("send"))).status_code == 403
        colleague = await camera(here, hamlets=[HAMLET])
        assert (await colleague.get(name)).content == webp


async def test_a_revoked_phone_brings_the_bytes_of_what_it_handed_in_and_of_nothing_else(
    tmp_path: Path, webp: bytes
) -> None:
    async with served(tmp_path) as here:
        mine, other = await camera(here), await camera(here)
        name = sha256(webp).hexdigest()
        assert (await mine.put(name, webp, credential="send")).status_code == 404, "the document comes first"
        with here.parts.rows.begin() as rows:
            devices.revoke(rows, mine.phone.device, by="console", now=here.parts.clock())
        (receipt,) = await mine.phone.hand_in(mine.phone.seal(mine.document(webp), db=DB))
        assert receipt["is"] == "quarantined"
        assert (await other.put(name, webp, credential="send")).status_code == 404
        assert (await mine.put(name, webp, end=5_000, credential="send")).json()["offset"] == 5_000
        assert (await mine.put(name, webp, start=5_000, credential="send")).json()["complete"]
        assert [(await one.get(name)).status_code for one in (mine, other)] == [401, 404]
        assert await checking.problems(here.parts) == []
        parts = here.parts
        warden = Warden(parts.store, parts.rows, parts.intake, parts.clock, parts.blobs)
        assert await warden.discard("office01", [1]) == 1
        assert not parts.blobs.has(Name(HAMLET, name))
        assert (await mine.put(name, webp, credential="send")).status_code == 404


@pytest.mark.parametrize("first", ["the photographer", "somebody who knows the name"])
async def test_a_photo_is_its_bytes_whatever_others_say_of_it(
    tmp_path: Path, webp: bytes, first: str
) -> None:
    async with served(tmp_path) as here:
        mine, other = await camera(here), await camera(here)
        lies = {"bytes": 9, "width": 1, "height": 1, "inspection": "01J8ZQ4T6N3VXK2M5R7W9Y0ZZZ"}
        lie = {**other.document(webp), **lies, "_rev": "1-ee", "_revisions": {"start": 1, "ids": ["ee"]}}
        sent = [(mine, {}), (other, lie)] if first == "the photographer" else [(other, lie), (mine, {})]
        answers = [await camera.send(webp, **fields) for camera, fields in sent]
        assert [[row["error"] for row in rows] for rows in answers] == [[], ["forbidden"]]
        name = sha256(webp).hexdigest()
        assert await mine.held(name) == (0, False)
        assert (await mine.put(name, webp)).json()["complete"]
        assert await mine.held(name) == (len(webp), True)
        assert (await other.get(name)).content == webp


async def test_what_a_photo_says_of_its_bytes_stays(tmp_path: Path, webp: bytes) -> None:
    async with served(tmp_path) as here:
        mine = await camera(here)
        await mine.describe(webp)
        doc = mine.document(webp)
        child = {"_rev": "2-ee", "_revisions": {"start": 2, "ids": ["ee", doc["_rev"][2:]]}}
        (no,) = await mine.send(webp, **{**doc, **child, "bytes": 9})
        assert no["error"] == "forbidden"
        assert await mine.send(webp, **{**doc, **child, "item": "hydrant"}) == []


@pytest.mark.parametrize("gone", ["the phone is revoked", "the hamlet is somebody else's"])
async def test_a_photo_that_had_entered_gets_its_bytes_from_its_phone_alone(
    tmp_path: Path, webp: bytes, gone: str
) -> None:
    async with served(tmp_path) as here:
        mine, other = await camera(here, hamlets=[HAMLET]), await camera(here)
        name = await mine.describe(webp)
        await mine.put(name, webp, end=5_000)
        revoked = gone == "the phone is revoked"
        with here.parts.rows.begin() as rows:
            for phone in (mine, other) if revoked else ():
                devices.revoke(rows, phone.phone.device, by="console", now=here.parts.clock())
            if not revoked:
                users.give_hamlets(rows, mine.phone.user, [], by="console", now=here.parts.clock())
        way = "send" if revoked else "credential"
        assert (await mine.put(name, webp, start=5_000, credential=way)).json()["complete"]
        assert here.parts.blobs.has(Name(HAMLET, name))
        if revoked:
            assert (await other.put(name, webp, credential=way)).status_code == 404


async def test_a_photo_of_a_hamlet_that_was_its_authors_waits_with_its_bytes(
    tmp_path: Path, webp: bytes
) -> None:
    async with served(tmp_path) as here:
        mine = await camera(here, hamlets=[HAMLET])
        name = sha256(webp).hexdigest()
        with here.parts.rows.begin() as rows:
            users.give_hamlets(rows, mine.phone.user, [], by="console", now=here.parts.clock())
        assert (await mine.put(name, webp)).status_code == 403, "the document comes first"
        (said,) = await mine.send(webp)
        assert said["is"] == "quarantined"
        assert (await mine.put(name, webp, end=5_000)).json()["offset"] == 5_000
        parts = here.parts
        warden = Warden(parts.store, parts.rows, parts.intake, parts.clock, parts.blobs)
        assert len(await warden.release("office01", [1])) == 1
        assert (await mine.put(name, webp, start=5_000)).json()["complete"], "also once it was let in"
        assert parts.blobs.has(Name(HAMLET, name))
        assert (await mine.get(name)).status_code == 403, "not theirs to see"


async def test_a_photo_needs_its_document_and_addresses_are_names_not_paths(
    tmp_path: Path, webp: bytes
) -> None:
    async with served(tmp_path) as here:
        phone = await camera(here)
        unknown = await phone.put(sha256(webp).hexdigest(), webp)
        assert (unknown.status_code, unknown.json()["error"]) == (404, "not_found")
        for path in ("/db/media-nasam/_blob/..%2f..%2fkeys", "/db/hamlet-nasam/_blob/" + "0" * 64):
            answer = await here.http.get(path, headers=phone.phone.bearer("credential"))
            assert answer.status_code in {400, 404}
        await phone.describe(webp)
        assert (await phone.get(sha256(webp).hexdigest())).status_code == 404


async def test_a_photo_that_is_erased_while_its_last_bytes_come_in_goes_again(
    tmp_path: Path, webp: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with served(tmp_path) as here:
        phone = await camera(here)
        name = await phone.describe(webp)
        blobs = here.parts.blobs
        finish = blobs.finish

        def late(one: Name, sender: str) -> None:
            finish(one, sender)
            from_thread.run(bury, here.parts.store, DB, [f"photo:{name}"])

        monkeypatch.setattr(blobs, "finish", late)
        assert (await phone.put(name, webp)).status_code == 404
        assert [path for path in (tmp_path / "media").rglob("*") if path.is_file()] == []


async def test_two_phones_that_send_the_same_photo_at_once_do_not_meet(tmp_path: Path, webp: bytes) -> None:
    async with served(tmp_path) as here:
        one, other = await camera(here), await camera(here, hamlets=[HAMLET])
        name = await one.describe(webp)

        async def send(phone: Camera) -> None:
            for start in range(0, len(webp), 7_000):
                answer = await phone.put(name, webp, start, min(start + 7_000, len(webp)))
                assert answer.status_code == 200, answer.text

        await other.put(name, bytes(20_000) + webp[20_000:], 0, 20_000)  # what came of the other is spoilt
        results = await asyncio.gather(send(one), send(one), return_exceptions=True)
        assert [str(result) for result in results if result] == []
        assert (await one.get(name)).content == webp
        assert (await other.put(name, webp, 20_000)).json()["complete"] is True
        left = [path.name for path in (tmp_path / "media").rglob("*") if path.is_file()]
        assert sorted(left) == [name, f"{name}.thumb"]


async def test_photos_that_were_begun_and_left_make_way(tmp_path: Path) -> None:
    async with served(tmp_path) as here:
        phone = await camera(here)
        for number in range(53):
            data = encoded(noise(20 + number, 20))
            await phone.put(await phone.describe(data), data, 0, 10)
        assert len(list((tmp_path / "media" / HAMLET / "incoming").iterdir())) == 50


def test_a_baseline_a_progressive_and_a_grey_jpeg_pass() -> None:
    for how in ({}, {"progressive": True}, {"restart_marker_blocks": 2}):
        for image in (SMALL, SMALL.convert("L")):
            data = encoded(image, "JPEG", **how)
            small = thumbnail(data)
            assert Image.open(BytesIO(small)).size == (64, 48)
            assert _mime(small) == "image/webp"
