"""Photographs on an inspection's page, and by themselves."""

from hashlib import sha256
from io import BytesIO

import pytest
from PIL import Image

from server.blobs import Name
from server.pictures import Promised
from server.scribe import Change
from tests.server.harness import edit
from tests.server.office.season import CHECKLIST, furnish, inspection, number
from tests.server.office.village import Village

LOOKED = number(20)


def drawn(red: int) -> bytes:
    out = BytesIO()
    Image.new("RGB", (64, 48), (red, 90, 90)).save(out, "WEBP")
    return out.getvalue()


COME, COMING, TAKEN_BACK = drawn(10), drawn(120), drawn(240)


def name(picture: bytes) -> str:
    return sha256(picture).hexdigest()


@pytest.fixture
async def pictured(made: Village) -> Village:
    """An inspection with three pictures: one is here, one on its way, one taken back."""
    await furnish(made)
    asked = {"id": "tap", "kind": "photo", "label": "Ảnh vòi nước", "source": "thử", "max": 3}
    sections = [{"id": "one", "title": "Một", "items": [asked]}]
    await made.office({"commune": [Change("checklist:co-anh:1", {**CHECKLIST, "sections": sections})]})
    by = made.people["volunteer"]
    added = [{"id": name(one), "item": "tap"} for one in (COME, COMING, TAKEN_BACK)]
    photos = sorted([*added, {"id": number(21), "removes": name(TAKEN_BACK)}], key=lambda one: one["id"])
    answers = {"checklist": "co-anh", "version": 1, "values": {}}
    doc = inspection(LOOKED, by, "2026-02-27", answers=answers, photos=photos)
    await made.phone("volunteer", "nasam", edit(doc, f"1-{9:032x}"))
    said = {"mime": "image/webp", "width": 64, "height": 48, "inspection": LOOKED, "item": "tap"}
    for one in (COME, COMING):
        await made.office(
            {"media-nasam": [Change(f"photo:{name(one)}", {**said, "bytes": len(one)})]}, "reviewer"
        )
    place = Name("nasam", name(COME))
    made.parts.blobs.append(place, "phone1", 0, COME)
    made.parts.blobs.finish(place, "phone1", Promised("image/webp", len(COME), 64, 48))
    await made.parts.follower.catch_up()
    return made


async def test_an_inspection_shows_what_has_come_and_says_what_has_not(pictured: Village) -> None:
    async with pictured.signed_in("reviewer") as browser:
        page = (await browser.get(f"/office/inspections/nasam/{LOOKED}")).text
        small = await browser.get(f"/office/photos/nasam/{name(COME)}?size=thumb")
        large = await browser.get(f"/office/photos/nasam/{name(COME)}")
        review = (await browser.get(f"/office/review/nasam/inspection:{LOOKED}")).text
    for one in (page, review):
        assert f'<img src="/office/photos/nasam/{name(COME)}?size=thumb"' in one
        assert "<figcaption>Ảnh vòi nước</figcaption>" in one
    assert page.count("Ảnh chưa về") == 1
    assert name(COMING) not in page
    assert name(TAKEN_BACK) not in page
    assert Image.open(BytesIO(small.content)).size == (64, 48)
    assert large.content == COME
    assert large.headers["content-type"] == "image/webp"
    assert large.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert large.headers["cache-control"] == "private, no-store"


async def test_looking_at_a_large_photo_is_noted_and_observers_see_none(pictured: Village) -> None:
    path = f"/office/photos/nasam/{name(COME)}"
    async with pictured.signed_in("reviewer") as browser:
        await browser.get(path)
        await browser.get(f"{path}?size=thumb")
        for wrong in (f"/office/photos/bandanh/{name(COME)}", f"/office/photos/nasam/{name(COMING)}"):
            assert (await browser.get(wrong)).status_code == 404
    async with pictured.signed_in("observer") as browser:
        assert (await browser.get(path)).status_code == 403
    async with pictured.signed_in("admin") as browser:
        log = (await browser.get("/office/audit")).text
    assert log.count("Xem ảnh") == 1
    assert f"media-nasam/photo:{name(COME)}" in log
