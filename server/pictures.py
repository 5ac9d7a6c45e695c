"""Pictures that phones send: what may be in one, and a thumbnail made of its pixels. Pure.

A picture is named by the digest of its bytes, so nothing can be taken out of it here: one that says more than
its pixels (EXIF, XMP, IPTC, comments, anything behind its end) is refused, and the phone makes it anew. The
container is walked by hand, because a decoder skips what it does not know.
"""

import struct
from collections.abc import Iterator
from io import BytesIO

from PIL import Image

MOST_BYTES = 150_000
"""Of one picture (schemas/photo.json)."""
MOST_PIXELS = 8_000_000
"""Of one picture: 24 MB unpacked. Phones send 1600 × 1600 at most."""
MOST_SIDE = 4096
"""Of one picture (schemas/photo.json)."""
_THUMB = 320

_FORMATS = {"image/jpeg": "JPEG", "image/webp": "WEBP"}
MIMES = _FORMATS.keys()

# JPEG (ITU-T T.81, table B.1): tables, frames (baseline, extended, progressive), scans, restarts.
_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_RESTARTS = range(0xD0, 0xD8)
_DRAWN = frozenset({0xC0, 0xC1, 0xC2, 0xC4, 0xDB, 0xDD, _SOS})
_JFIF, _ADOBE, _ICC = 0xE0, 0xEE, 0xE2

# WebP (RFC 9649, section 2): the chunks of a still picture, and its colour profile.
_STILL = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ICCP"})
_TELLING = frozenset({b"EXIF", b"XMP "})


class PictureRefused(Exception):
    """A picture that is not taken."""


class NotAPicture(PictureRefused):
    """No whole still picture of the type that its document names."""


class TellsMore(PictureRefused):
    """A picture that carries more than its pixels: place, time, device, text."""


class WrongSize(PictureRefused):
    """Too many pixels, or a side that is too long."""


def mime_of(data: bytes) -> str:
    """The type of a picture that was checked before."""
    return "image/webp" if data[:4] == b"RIFF" else "image/jpeg"


def thumbnail(data: bytes) -> bytes:
    """Check a picture whole, and encode a small one (WebP) from its pixels.

    Raises `NotAPicture`, `TellsMore`, `WrongSize`.
    """
    mime = mime_of(data)
    (_walk_webp if mime == "image/webp" else _walk_jpeg)(data)
    try:
        with Image.open(BytesIO(data), formats=[_FORMATS[mime]]) as image:
            # Only the header was read so far: nothing is unpacked of what is too large.
            if max(image.size) > MOST_SIDE or image.width * image.height > MOST_PIXELS:
                raise WrongSize
            image.load()
            small = image.convert("RGB")
    except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        raise NotAPicture from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise WrongSize from error
    small.thumbnail((_THUMB, _THUMB))
    out = BytesIO()
    small.save(out, "WEBP", quality=70)
    return out.getvalue()


def _walk_jpeg(data: bytes) -> None:
    for marker, content in _segments(data):
        if marker in _DRAWN or marker in {_JFIF, _ADOBE}:
            continue
        if marker == _ICC and content.startswith(b"ICC_PROFILE\0"):
            continue
        raise TellsMore


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and content of each segment, up to the end of the image, which is the end of the data."""
    if data[:2] != bytes((0xFF, _SOI)):
        raise NotAPicture
    at = 2
    while data[at : at + 2] != bytes((0xFF, _EOI)):
        if len(data) < at + 4 or data[at] != 0xFF:
            raise NotAPicture
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4])
        yield marker, data[at + 4 : at + 2 + length]
        at += 2 + length
        if marker == _SOS:
            at = _after_scan(data, at)
    if at + 2 != len(data):
        raise TellsMore


def _after_scan(data: bytes, at: int) -> int:
    """Where the next marker stands: in a scan FF is followed by 00 or a restart."""
    while (at := data.find(b"\xff", at)) >= 0:
        following = data[at + 1 : at + 2]
        if following and following[0] != 0 and following[0] not in _RESTARTS:
            return at
        at += 2
    raise NotAPicture


def _walk_webp(data: bytes) -> None:
    if data[8:12] != b"WEBP":
        raise NotAPicture
    end = 8 + int.from_bytes(data[4:8], "little")
    if end != len(data):
        raise NotAPicture if end > len(data) else TellsMore
    at = 12
    while at < end:
        kind, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if kind in _TELLING:
            raise TellsMore
        if kind not in _STILL:
            raise NotAPicture
        at += 8 + length + length % 2
    if at != end:
        raise NotAPicture
