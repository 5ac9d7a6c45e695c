"""Two phones held against each other: one shows QR codes, the camera of the other one reads them for real.

Chromium takes a file for its camera's picture. What lies in it are photographs of the first phone's screen,
as a cheap camera would take them: small, slanted, unsharp and noisy, on a grey table.
"""

import os
import random
import re
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image, ImageChops, ImageFilter
from playwright.sync_api import Browser, expect, sync_playwright

from tests.e2e.conftest import CHROMIUM, Village
from tests.e2e.phone import Phone

FRAMES = 10
"""Pictures of each code: a third of a second."""

TABLE = (96, 92, 88)
TRACK = "document.querySelector('video').srcObject.getTracks()[0]"
HIDDEN = """
Object.defineProperty(document, 'visibilityState', {value: 'hidden', configurable: true});
document.dispatchEvent(new Event('visibilitychange'));
delete document.visibilityState;
"""
OWN_READER = """
() => {
  let pictures = 0;
  window.BarcodeDetector = class {
    static async getSupportedFormats() { return ['aztec', 'qr_code']; }
    async detect() {
      if (pictures++ === 0) throw new DOMException('', 'NotSupportedError');
      return [{rawValue: 'CK9:'}];
    }
  };
}
"""
"""Chromium on Linux has none."""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the camera of every phone of this module sees, from when it is opened."""
    return tmp_path_factory.mktemp("camera") / "film.mjpeg"


@pytest.fixture(scope="module")
def browser(film: Path) -> Iterator[Browser]:
    camera = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}"]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *camera])
        yield started
        started.close()


def codes_of(phone: Phone) -> list[Image.Image]:
    """Each code of the run that a phone shows, turned by hand, with some of the screen around it."""
    place = phone.page.locator(".codes-place")
    expect(place).to_have_text(re.compile(r"^Mã 1/\d+$"))
    many = int(place.inner_text().partition("/")[2])
    phone.press("Dừng")
    while not place.inner_text().startswith("Mã 1/"):
        phone.press("‹ Lùi")
    found = []
    for n in range(1, many + 1):
        expect(place).to_have_text(f"Mã {n}/{many}")
        box = phone.page.locator(".code").bounding_box()
        assert box is not None
        around = (0, box["y"] * 2 - 20, 720, (box["y"] + box["height"]) * 2 + 40)
        found.append(Image.open(BytesIO(phone.page.screenshot())).convert("RGB").crop(around))
        phone.press("Tiếp ›")
    return found


def photographed(screen: Image.Image, dice: random.Random) -> Image.Image:
    """A screen as a cheap camera at 1280 × 720 sees it: the code fills two thirds of the height."""
    seen = Image.new("RGB", (1280, 720), TABLE)
    small = screen.resize((480, screen.height * 2 // 3), Image.Resampling.BILINEAR)
    seen.paste(small, (400 + dice.randrange(-20, 20), 100 + dice.randrange(-20, 20)))
    seen = seen.rotate(dice.uniform(-6, 6), Image.Resampling.BILINEAR, fillcolor=TABLE)
    slant = (1, 0.02, 0, 0, 1, 0, dice.uniform(-6e-5, 6e-5), 4e-5)
    seen = seen.transform(seen.size, Image.Transform.PERSPECTIVE, slant, Image.Resampling.BILINEAR)
    noise = Image.effect_noise(seen.size, 30).convert("RGB")
    return ImageChops.add(seen.filter(ImageFilter.GaussianBlur(0.8)), noise, scale=1.25, offset=-40)


def shoot(film: Path, screens: Sequence[Image.Image], order: Sequence[int]) -> None:
    """Put into the camera what it will see, over and over: photographs of these screens in this order."""
    dice = random.Random(7)
    with film.open("wb") as out:
        for n in order:
            picture = BytesIO()
            photographed(screens[n], dice).save(picture, "JPEG", quality=70)
            out.write(picture.getvalue() * FRAMES)


def scans(phone: Phone) -> None:
    """From the list of hamlets to the open camera."""
    phone.goes_home()
    phone.page.evaluate("location.hash = '#/courier'")
    phone.press("Quét mã QR trên máy khác")
    phone.press("Mở máy ảnh")


def keeps(phone: Phone, name: str) -> None:
    """Keep a picture of the screen, where pictures are asked for."""
    if directory := os.environ.get("CAMKET_SCREENSHOTS"):
        phone.page.screenshot(path=Path(directory) / f"codes-{name}.png")


def foreign_code() -> Image.Image:
    """A code that leads elsewhere, as it hangs on many a wall."""
    made = zxingcpp.create_barcode("https://xa.example/thong-bao", zxingcpp.BarcodeFormat.QRCode)
    drawn = Image.fromarray(zxingcpp.write_barcode_to_image(made, scale=20)).convert("RGB")
    return drawn.resize((720, 720))


def test_pledges_go_from_screen_to_camera_and_their_receipts_come_back(village: Village, film: Path) -> None:
    mai, nam = village.phone(0), village.phone(1)
    for phone in (mai, nam):
        phone.context.grant_permissions(["camera"], origin=phone.url)
        phone.page.evaluate("navigator.serviceWorker.ready.then(() => null)")
        phone.context.set_offline(True)
    mai.walks("Khuoi")
    names = list(mai.listed())[:10]
    for name in names[:2]:
        mai.signs(name)
    mai.holds_meeting(names[2:], sheet=1)

    mai.goes_home()
    mai.page.evaluate("location.hash = '#/courier'")
    mai.press("Chuyển bằng mã QR")
    mai.sees("Các mã này có 10 phiếu.")
    mai.sees(re.compile("^2 chữ ký vẽ trên màn hình không vừa mã QR"))
    screens = codes_of(mai)
    keeps(mai, "show")
    assert 2 <= len(screens) <= 3
    # Another program reads them too, off the screen as it is: they are QR codes, and not ours alone.
    read = [[code.text for code in zxingcpp.read_barcodes(screen)] for screen in screens]
    assert all(len(texts) == 1 and texts[0].startswith("CK1:") for texts in read)

    shoot(film, screens, order=[*reversed(range(len(screens))), -1, *range(len(screens))])
    scans(nam)
    nam.sees(re.compile(rf"^Đã đọc [1-9]/{len(screens)} mã$"))
    keeps(nam, "scan")
    nam.sees_news("Đã nhận 10 phiếu để mang giúp.")
    nam.sees("Đang mang giúp 10 phiếu, chưa gửi được.")
    mai.press("Máy kia đã đọc xong")
    mai.sees_news("Đã ghi: phiếu đang được mang đi.")

    nam.context.set_offline(False)
    nam.syncs()
    nam.page.evaluate("location.hash = '#/courier'")
    nam.sees(re.compile("^Xã đã trả lời 10 phiếu mang giúp."))
    nam.press("Đưa giấy báo nhận bằng mã QR")
    receipts = codes_of(nam)
    keeps(nam, "receipts")
    shoot(film, receipts, order=range(len(receipts)))
    scans(mai)
    mai.sees_news("Xã đã trả lời 10 phiếu của bác.")
    mai.page.evaluate("location.hash = '#/sync'")
    mai.sees("2 phiếu chưa gửi về xã")  # the strokes, of which nobody has said that they were handed over
    mai.walks("Khuoi")
    for name in names:
        expect(mai.row(name)).to_contain_text("Đã ký")
        expect(mai.row(name)).not_to_contain_text(re.compile("trên máy này|nhờ mang"))
    mai.context.set_offline(False)
    mai.syncs()


def test_the_camera_is_open_only_while_somebody_looks_through_it(village: Village, film: Path) -> None:
    shoot(film, [foreign_code()], order=[0])
    phone = village.phone(0)
    phone.context.grant_permissions(["camera"], origin=phone.url)
    page = phone.page
    scans(phone)
    phone.sees("Đây không phải mã chuyển phiếu của Camket.")
    assert page.evaluate(f"(window.track = {TRACK}).readyState") == "live"
    phone.press("Tắt máy ảnh")
    assert page.evaluate("track.readyState") == "ended"

    phone.press("Mở máy ảnh")
    phone.button("Tắt máy ảnh").wait_for()
    page.evaluate(f"window.track = {TRACK}; {HIDDEN}")
    phone.button("Mở máy ảnh").wait_for()
    assert page.evaluate("track.readyState") == "ended"

    page.evaluate(OWN_READER)
    phone.press("Mở máy ảnh")
    phone.sees(re.compile("^Mã này đọc chưa đúng"))  # what the browser's own reader says goes first
    page.evaluate(f"window.track = {TRACK}")
    phone.goes_back()
    phone.sees_title("Nhờ mang phiếu")
    assert page.evaluate("track.readyState") == "ended"

    phone.context.clear_permissions()
    phone.press("Quét mã QR trên máy khác")
    phone.press("Mở máy ảnh")
    phone.sees(re.compile("Camket chưa được phép dùng máy ảnh."))
    keeps(phone, "denied")
