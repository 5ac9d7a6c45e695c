"""Photographs in real Chromium: from the camera's file to the server, also where Android ends the app.

With CAMKET_SCREENSHOTS=DIR the form is also photographed into that directory.
"""

from hashlib import sha256
from io import BytesIO
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import FileChooser, Page, expect

from tests.e2e.conftest import Documents, Village
from tests.e2e.phone import PICTURES, Phone

MODEL = "01J8ZQ4T6N3VXK2M5R7W9Y0ABC"
ANDROID = "Mozilla/5.0 (Linux; Android 11; SM-A057F) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36"
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


@pytest.fixture(scope="module")
def furniture() -> Documents:
    """A model and its checklist."""
    sections = [{"id": "one", "title": "Một", "items": ITEMS}]
    checklist = {"title": "Bản thử", "model": "to_lien_gia", "source": "thử", "sections": sections}
    model = {
        **{"kind": "to_lien_gia", "name": "Tổ liên gia Khuổi", "hamlets": [], "points": 1, "groups": 1},
        "state": {"is": "active", "since": "2026-01-15"},
    }
    return {"commune": {"checklist:thu:1": checklist, f"model:{MODEL}": model}}


def at_form(village: Village, user_agent: str | None = None) -> Phone:
    """A phone that has joined, at the form of an inspection."""
    phone = village.phone(user_agent=user_agent)
    to_form(village, phone)
    return phone


def to_form(village: Village, phone: Phone) -> None:
    phone.page.evaluate(f"location.hash = '#/h/{village.hamlet}/models/{MODEL}/inspect/thu'")
    phone.page.get_by_role("button", name="Lưu phiếu kiểm tra").wait_for()


def received(village: Village) -> list[Path]:
    """The pictures that are whole."""
    return sorted((village.server.data / "media" / village.hamlet).glob("[0-9a-f]*[0-9a-f]"))


def arrived(village: Village, count: int = 1) -> list[Path]:
    """Wait for pictures: they come after the text, when the phone has time."""
    for _ in range(200):
        if len(received(village)) >= count:
            break
        sleep(0.1)
    return received(village)


def open_camera(page: Page) -> FileChooser:
    """Tap the button; the phone's camera stands before the app now."""
    with page.expect_file_chooser() as chooser:
        page.get_by_label("Chụp ảnh").click()
    return chooser.value


def take(page: Page, picture: bytes, name: str = "IMG_0001.jpg") -> None:
    camera = open_camera(page)
    camera.set_files({"name": name, "mimeType": "image/jpeg", "buffer": picture})


def test_a_camera_picture_goes_small_upright_and_bare_to_the_server(village: Village) -> None:
    phone = at_form(village)
    page = phone.page
    picture = camera_picture()
    assert len(picture) > 1_000_000
    page.get_by_text("Có", exact=True).first.tap()
    take(page, picture)
    thumb = page.get_by_alt_text("Ảnh 1")
    expect(thumb).to_be_visible()
    assert phone.problems() == []
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / "phone-photo.png", full_page=True)
    assert received(village) == [], "nothing goes before the inspection is saved"
    phone.press("Lưu phiếu kiểm tra")
    page.locator(".news", has_text="Đã lưu trên máy này").wait_for()
    page.evaluate("location.hash = '#/sync'")
    phone.press("Đồng bộ ngay")
    [file] = [path for path in arrived(village) if path.suffix == ""]
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
    expect(page.get_by_text("ảnh chưa gửi")).to_have_count(0)
    to_form(village, phone)  # another inspection, and the same picture from the gallery
    page.get_by_text("Có", exact=True).first.tap()
    take(page, picture)
    expect(page.get_by_alt_text("Ảnh 1")).to_be_visible()
    phone.press("Lưu phiếu kiểm tra")
    page.locator(".news", has_text="Đã lưu trên máy này").wait_for()
    page.evaluate("location.hash = '#/sync'")
    phone.press("Đồng bộ ngay")
    whole = [path.read_bytes() for path in arrived(village, 4) if path.suffix == ""]
    widths = [Image.open(BytesIO(data)).width for data in whole]
    assert sorted(widths) == [seen.width - 1, seen.width], "it is one of its own, by a pixel"


def test_a_form_survives_when_android_ends_the_app_in_the_camera(village: Village) -> None:
    phone = at_form(village)
    phone.page.get_by_text("Không", exact=True).first.tap()
    take(phone.page, camera_picture())
    phone.page.get_by_alt_text("Ảnh 1").wait_for()
    open_camera(phone.page)
    phone.page.wait_for_timeout(300)  # a person holds the camera longer than that
    context = phone.page.context
    phone.page.close()
    page = phone.page = context.new_page()
    page.goto(phone.url)
    phone.unlocks()
    phone.sees_title("Địa bàn của tôi")
    to_form(village, phone)
    expect(page.get_by_text("Điện thoại đã đóng Camket khi đang chụp")).to_be_visible()
    expect(page.get_by_label("Không", exact=True).first).to_be_checked()
    expect(page.get_by_alt_text("Ảnh 1")).to_be_visible()
    take(page, camera_picture()[:-40_000], "IMG_0002.jpg")
    expect(page.get_by_alt_text("Ảnh 2")).to_be_visible()
    expect(page.get_by_text("Điện thoại đã đóng Camket khi đang chụp")).to_have_count(0)
    phone.press("Bỏ ảnh 2")
    expect(page.get_by_alt_text("Ảnh 2")).to_have_count(0)
    phone.press("Lưu phiếu kiểm tra")
    page.locator(".news", has_text="Đã lưu trên máy này").wait_for()
    page.evaluate("location.hash = '#/sync'")
    phone.press("Đồng bộ ngay")
    assert len([path for path in arrived(village) if path.suffix == ""]) == 1


def test_what_is_no_picture_is_said_and_the_form_goes_on(village: Village) -> None:
    phone = at_form(village)
    take(phone.page, b"not a picture")
    phone.page.locator(".news", has_text="Không mở được ảnh này").wait_for()
    take(phone.page, camera_picture())
    phone.page.get_by_alt_text("Ảnh 1").wait_for()


def test_on_mobile_data_a_photo_waits_until_the_volunteer_allows_it(village: Village) -> None:
    phone = at_form(village, ANDROID)
    page = phone.page
    page.get_by_text("Có", exact=True).first.tap()
    take(page, camera_picture())
    page.get_by_alt_text("Ảnh 1").wait_for()
    phone.press("Lưu phiếu kiểm tra")
    page.locator(".news", has_text="Đã lưu trên máy này").wait_for()
    page.evaluate("location.hash = '#/sync'")
    phone.press("Đồng bộ ngay")
    page.locator(".news", has_text="Đã đồng bộ xong").wait_for()
    expect(page.get_by_text("Ảnh đang chờ Wi-Fi")).to_be_visible()
    assert phone.problems() == []
    assert received(village) == []
    page.get_by_label("Cho gửi ảnh bằng dữ liệu di động").tap()
    phone.press("Đồng bộ ngay")
    assert len(arrived(village)) >= 1
    expect(page.get_by_text("Ảnh đang chờ Wi-Fi")).to_have_count(0)
