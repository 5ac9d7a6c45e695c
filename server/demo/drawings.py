"""The demo's photographs: drawn, so that nobody's wall is shown. The same number gives the same bytes."""

from io import BytesIO
from random import Random

from PIL import Image, ImageDraw

SIZE = (640, 480)
_WALLS = ((222, 214, 196), (198, 210, 204), (214, 203, 214), (230, 222, 180))


def draw(kind: str, number: int) -> bytes:
    """Equipment of a kind of model, as WebP."""
    random = Random(number)  # noqa: S311 - a picture to be drawn again alike
    image = Image.new("RGB", SIZE, _WALLS[number % len(_WALLS)])
    pen = ImageDraw.Draw(image)
    for row in range(0, SIZE[1], 40):  # bricks, and the light on them
        pen.line((0, row, SIZE[0], row), fill=(180, 172, 158), width=2)
        for column in range((row // 40 % 2) * 40, SIZE[0], 80):
            pen.line((column, row, column, row + 40), fill=(180, 172, 158), width=2)
    x, y = 220 + random.randint(-80, 80), 120 + random.randint(-30, 30)
    _SUBJECTS.get(kind, _board)(pen, x, y)
    out = BytesIO()
    image.save(out, "WEBP", quality=60)
    return out.getvalue()


def _bell(pen: ImageDraw.ImageDraw, x: int, y: int) -> None:
    pen.rectangle((x, y + 150, x + 110, y + 260), fill=(190, 30, 30), outline=(60, 60, 60), width=3)
    pen.ellipse((x + 30, y + 180, x + 80, y + 230), fill=(240, 240, 240), outline=(60, 60, 60), width=3)
    pen.ellipse((x - 10, y, x + 120, y + 130), fill=(200, 40, 40), outline=(60, 60, 60), width=4)


def _extinguisher(pen: ImageDraw.ImageDraw, x: int, y: int) -> None:
    for left in (x, x + 130):
        pen.rounded_rectangle(
            (left, y + 50, left + 80, y + 280), 30, fill=(200, 30, 30), outline=(70, 20, 20)
        )
        pen.rectangle((left + 28, y + 20, left + 52, y + 50), fill=(40, 40, 40))
        pen.line((left + 40, y + 30, left + 95, y + 160), fill=(30, 30, 30), width=8)
        pen.rectangle((left + 12, y + 130, left + 68, y + 190), fill=(240, 240, 235))


def _camera(pen: ImageDraw.ImageDraw, x: int, y: int) -> None:
    pen.rectangle((x + 60, 0, x + 78, y + 60), fill=(90, 90, 90))
    pen.rounded_rectangle(
        (x, y + 40, x + 190, y + 120), 20, fill=(245, 245, 245), outline=(90, 90, 90), width=3
    )
    pen.ellipse((x + 140, y + 45, x + 210, y + 115), fill=(30, 30, 40), outline=(90, 90, 90), width=5)


def _gate(pen: ImageDraw.ImageDraw, x: int, y: int) -> None:
    pen.rectangle((0, 400, SIZE[0], SIZE[1]), fill=(110, 110, 110))
    for column in range(20, SIZE[0], 90):
        pen.rectangle((column, 410, column + 45, 470), fill=(235, 235, 235))
    pen.polygon(
        ((x + 90, y), (x + 10, y + 140), (x + 170, y + 140)), fill=(245, 200, 30), outline=(180, 30, 30)
    )
    pen.rectangle((x + 84, y + 140, x + 96, 400), fill=(120, 120, 120))


def _board(pen: ImageDraw.ImageDraw, x: int, y: int) -> None:
    pen.rectangle((x - 60, y, x + 260, y + 200), fill=(20, 80, 60), outline=(230, 220, 150), width=8)
    for row in range(4):
        pen.line(
            (x - 20, y + 45 + row * 38, x + 220 - row * 30, y + 45 + row * 38), fill=(235, 235, 220), width=8
        )


_SUBJECTS = {
    "to_lien_gia": _bell,
    "diem_chua_chay": _extinguisher,
    "camera_an_ninh": _camera,
    "cong_truong": _gate,
}
