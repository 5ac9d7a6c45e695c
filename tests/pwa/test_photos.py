"""Photographs in real Chromium: from the camera's file to the server, also where Android ends the app.

With CAMKET_SCREENSHOTS=DIR the form is also photographed into that directory.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.async_api import Browser, FileChooser, Page, expect

from server.admission import caller_of
from server.app import opened
from server.auth.grant import Grant, Role
from server.scribe import Change
from server.settings import Settings
from server.words import words
from tests.pwa.handset import Handset, chromium
from tests.running import Running
from tests.seed import Commune, seed

MAI = "Vi Thị Mai"
MODEL = "01J8ZQ4T6N3VXK2M5R7W9Y0ABC"
FORM = f"#/h/khuoi/models/{MODEL}/inspect/thu"
ANDROID = "Mozilla/5.0 (Linux; Android 11; SM-A057F) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36"
PICTURES = os.environ.get("CAMKET_SCREENSHOTS")
ITEMS: list[dict[str, Any]] = [
    {"id": "bell", "kind": "yes_no", "label": "Chuông kêu", "source": "thử", "required": True},
    {"id": "tap", "kind": "photo", "label": "Ảnh chuông", "source": "thử", "required": True, "max": 3},
]


def camera_picture() -> bytes:
    """What a phone's camera writes: 12 megapixels, lying on its side, with place and device in its EXIF.

    The scene stands upright: red above, blue below.
    """
    scene = Image.new("RGB", (3000, 4000), (200, 30, 30))
    scene.paste((30, 30, 200), (0, 2000, 3000, 4000))
    grain = Image.effect_noise((750, 1000), 90).resize((3000, 4000)).convert("RGB")
    tags = Image.Exif()
    tags[0x0112] = 6  # turn it by 90° to see it upright
    tags[0x0110] = "SM-A057F"
    tags.get_ifd(0x8825)[1] = "N"
    out = BytesIO()
    Image.blend(scene, grain, 0.3).rotate(90, expand=True).save(out, "JPEG", quality=92, exif=tags)
    return out.getvalue()


@dataclass(frozen=True)
class Village:
    browser: Browser
    server: Running
    commune: Commune

    async def phone(self, user_agent: str | None = None) -> Handset:
        """A phone that has joined, at the form of an inspection."""
        phone = await Handset.switched_on(self.browser, self.server.url, user_agent)
        await phone.join(self.commune.codes[MAI])
        await to_form(phone.page)
        return phone

    def received(self) -> list[Path]:
        """The pictures that are whole."""
        return sorted((self.server.data / "media" / "khuoi").glob("[0-9a-f]*[0-9a-f]"))

    async def arrived(self, count: int = 1) -> list[Path]:
        """Wait for pictures: they come after the text, when the phone has time."""
        for _ in range(200):
            if len(self.received()) >= count:
                break
            await asyncio.sleep(0.1)
        return self.received()


async def to_form(page: Page) -> None:
    await page.evaluate(f"location.hash = '{FORM}'")
    await page.get_by_role("button", name="Lưu phiếu kiểm tra").wait_for()


async def furnish(data: Path) -> None:
    """A model and its checklist."""
    sections = [{"id": "one", "title": "Một", "items": ITEMS}]
    checklist = {"title": "Bản thử", "model": "to_lien_gia", "source": "thử", "sections": sections}
    model = {
        **{
            "kind": "to_lien_gia",
            "name": "Tổ liên gia Khuổi",
            "hamlets": ["khuoi"],
            "points": 1,
            "groups": 1,
        },
        "state": {"is": "active", "since": "2026-01-15"},
    }
    async with opened(Settings(data=data)) as parts:
        admin = caller_of(Grant("office01", "", Role.ADMIN, frozenset({"khuoi"})), words("vi"))
        changes = [Change("checklist:thu:1", checklist), Change(f"model:{MODEL}", model)]
        await parts.scribe.write(admin, {"commune": changes})


@pytest.fixture
async def village(tmp_path: Path) -> AsyncIterator[Village]:
    commune = await seed(tmp_path / "data", {"khuoi": 3}, {MAI: ["khuoi"]})
    await furnish(tmp_path / "data")
    with Running(tmp_path / "data") as server:
        async with chromium() as browser:
            yield Village(browser, server, commune)


async def open_camera(page: Page) -> FileChooser:
    """Tap the button; the phone's camera stands before the app now."""
    async with page.expect_file_chooser() as chooser:
        await page.get_by_label("Chụp ảnh").click()
    return await chooser.value


async def take(page: Page, picture: bytes, name: str = "IMG_0001.jpg") -> None:
    camera = await open_camera(page)
    await camera.set_files({"name": name, "mimeType": "image/jpeg", "buffer": picture})


async def test_a_camera_picture_goes_small_upright_and_bare_to_the_server(village: Village) -> None:
    phone = await village.phone()
    page = phone.page
    picture = camera_picture()
    assert len(picture) > 1_000_000
    await page.get_by_text("Có", exact=True).first.tap()
    await take(page, picture)
    thumb = page.get_by_alt_text("Ảnh 1")
    await expect(thumb).to_be_visible()
    assert await phone.problems() == []
    if PICTURES:
        await page.screenshot(path=Path(PICTURES) / "phone-photo.png", full_page=True)
    assert village.received() == [], "nothing goes before the inspection is saved"
    await phone.tap("Lưu phiếu kiểm tra")
    await page.locator(".news", has_text="Đã lưu trên máy này").wait_for()
    await page.evaluate("location.hash = '#/sync'")
    await phone.tap("Đồng bộ ngay")
    [file] = [path for path in await village.arrived() if path.suffix == ""]
    data = file.read_bytes()
    assert len(data) <= 150_000
    assert sha256(data).hexdigest() == file.name
    with Image.open(BytesIO(data)) as seen:
        assert seen.height > seen.width
        assert len(seen.getexif()) == 0
        top, bottom = (seen.convert("RGB").resize((1, 2)).getpixel((0, y)) for y in (0, 1))
    assert isinstance(top, tuple)
    assert isinstance(bottom, tuple)
    assert top[0] > top[2]
    assert bottom[2] > bottom[0]
    await expect(page.get_by_text("ảnh chưa gửi")).to_have_count(0)
    assert phone.complaints == []


async def test_a_form_survives_when_android_ends_the_app_in_the_camera(village: Village) -> None:
    phone = await village.phone()
    await phone.page.get_by_text("Không", exact=True).first.tap()
    await take(phone.page, camera_picture())
    await phone.page.get_by_alt_text("Ảnh 1").wait_for()
    await open_camera(phone.page)
    await phone.page.wait_for_timeout(300)  # a person holds the camera longer than that
    context = phone.page.context
    await phone.page.close()
    page = phone.page = await context.new_page()
    await page.goto(phone.url)
    await phone.unlock()
    await phone.heading("Địa bàn của tôi")
    await to_form(page)
    await expect(page.get_by_text("Điện thoại đã đóng Camket khi đang chụp")).to_be_visible()
    await expect(page.get_by_label("Không", exact=True).first).to_be_checked()
    await expect(page.get_by_alt_text("Ảnh 1")).to_be_visible()
    await take(page, camera_picture()[:-40_000], "IMG_0002.jpg")
    await expect(page.get_by_alt_text("Ảnh 2")).to_be_visible()
    await expect(page.get_by_text("Điện thoại đã đóng Camket khi đang chụp")).to_have_count(0)
    await phone.tap("Bỏ ảnh 2")
    await expect(page.get_by_alt_text("Ảnh 2")).to_have_count(0)
    await phone.tap("Lưu phiếu kiểm tra")
    await page.locator(".news", has_text="Đã lưu trên máy này").wait_for()
    await page.evaluate("location.hash = '#/sync'")
    await phone.tap("Đồng bộ ngay")
    assert len([path for path in await village.arrived() if path.suffix == ""]) == 1


async def test_what_is_no_picture_is_said_and_the_form_goes_on(village: Village) -> None:
    phone = await village.phone()
    await take(phone.page, b"not a picture")
    await phone.page.locator(".news", has_text="Không mở được ảnh này").wait_for()
    await take(phone.page, camera_picture())
    await phone.page.get_by_alt_text("Ảnh 1").wait_for()


async def test_on_mobile_data_a_photo_waits_until_the_volunteer_allows_it(village: Village) -> None:
    phone = await village.phone(ANDROID)
    page = phone.page
    await page.get_by_text("Có", exact=True).first.tap()
    await take(page, camera_picture())
    await page.get_by_alt_text("Ảnh 1").wait_for()
    await phone.tap("Lưu phiếu kiểm tra")
    await page.locator(".news", has_text="Đã lưu trên máy này").wait_for()
    await page.evaluate("location.hash = '#/sync'")
    await phone.tap("Đồng bộ ngay")
    await page.locator(".news", has_text="Đã đồng bộ xong").wait_for()
    await expect(page.get_by_text("Ảnh đang chờ Wi-Fi")).to_be_visible()
    assert await phone.problems() == []
    assert village.received() == []
    await page.get_by_label("Cho gửi ảnh bằng dữ liệu di động").tap()
    await phone.tap("Đồng bộ ngay")
    assert len(await village.arrived()) >= 1
    await expect(page.get_by_text("Ảnh đang chờ Wi-Fi")).to_have_count(0)
