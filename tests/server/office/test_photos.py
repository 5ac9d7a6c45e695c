"""Photographs on an inspection's page, and by themselves."""

from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from server import backup, checking
from server.app import opened
from server.blobs import Name
from server.erasing import Eraser
from server.scribe import Change
from server.settings import Settings
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
    made.parts.blobs.finish(place, "phone1")
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


async def test_an_admin_erases_a_photo_and_its_files_go(pictured: Village) -> None:
    page, path = f"/office/inspections/nasam/{LOOKED}", f"/office/photos/nasam/{name(COME)}"
    kept = pictured.parts.settings.data / "media" / "nasam"
    async with pictured.signed_in("reviewer") as browser:
        assert "/erase" not in (await browser.get(page)).text
        assert (await browser.post(f"{path}/erase", {"back": page})).status_code == 403
    assert [one.name for one in sorted(kept.iterdir()) if one.is_file()] == [
        name(COME),
        f"{name(COME)}.thumb",
    ]
    async with pictured.signed_in("admin") as browser:
        assert f"/office/photos/nasam/{name(TAKEN_BACK)}/erase" in (await browser.get(page)).text
        shown = (await browser.send(f"{path}/erase", {"back": page})).text
        assert "Ảnh đã bị xóa vĩnh viễn." in shown
        assert (await browser.get(path)).status_code == 404
    assert [one for one in kept.rglob("*") if one.is_file()] == []
    assert await checking.problems(pictured.parts) == []


async def test_a_check_finds_pictures_that_are_not_what_they_were(pictured: Village) -> None:
    kept = pictured.parts.settings.data / "media" / "nasam"
    (kept / name(COME)).write_bytes(COMING)
    (kept / f"{name(COME)}.thumb").unlink()
    (kept / name(TAKEN_BACK)).write_bytes(TAKEN_BACK)
    found = [
        one.replace(name(COME), "A").replace(name(TAKEN_BACK), "B")
        for one in sorted(await checking.problems(pictured.parts))
    ]
    assert found == [
        "media-nasam: the picture A has no thumbnail",
        "media-nasam: the picture A is not what was received",
        "media-nasam: the picture B belongs to no document",
        "media-nasam: the picture B has no thumbnail",
    ]


async def test_a_backup_brings_no_erased_photo_back(pictured: Village, tmp_path: Path) -> None:
    old = backup.make(pictured.parts.settings.data, None, tmp_path / "backups", None, pictured.now)
    eraser = Eraser(pictured.parts.store, pictured.parts.rows, pictured.parts.clock)
    await eraser.erase_photo(pictured.people["admin"], "nasam", name(COME))
    backup.make(
        pictured.parts.settings.data, None, tmp_path / "backups", None, pictured.now.replace(second=9)
    )
    backup.restore(old, tmp_path / "new", None, None, pictured.now)
    assert (tmp_path / "new" / "media" / "nasam" / name(COME)).exists()
    async with opened(Settings(data=tmp_path / "new"), pictured.parts.clock) as again:
        await again.follower.rebuild()
        assert [one for one in (tmp_path / "new" / "media").rglob("*") if one.is_file()] == []
        assert await checking.problems(again) == []
