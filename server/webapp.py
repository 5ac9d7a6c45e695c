"""The volunteer's web app: a few built files, held in memory, plain and compressed.

What may be cached for how long decides whether phones can ever be updated: hashed assets for good, the
service worker and the shell never without asking.
"""

import gzip
import mimetypes
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_PACKAGED = Path(__file__).parent / "pwa"
_BUILT = Path(__file__).parent.parent / "pwa" / "dist"

ASK = "no-cache"
FOR_GOOD = "public, max-age=31536000, immutable"
A_DAY = "public, max-age=86400"

_SHELL = "index.html"
_TYPES = {".webmanifest": "application/manifest+json", ".js": "text/javascript", ".html": "text/html"}


@dataclass(frozen=True, slots=True)
class File:
    """One file of the app, ready to send."""

    plain: bytes
    packed: bytes
    type: str
    etag: str
    caching: str


def directory() -> Path:
    """Where the built app lies: inside an installed package, or in a working copy's `pwa/dist`."""
    return _PACKAGED if _PACKAGED.is_dir() else _BUILT


def load(root: Path) -> dict[str, File]:
    """The app's files by address; empty where it was not built."""
    return {
        f"/{path.relative_to(root).as_posix()}": _file(path, root)
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.name.endswith(".map")
    }


def routes(files: dict[str, File]) -> list[Route]:
    """`/` and `/join` are the shell, each file has its address."""

    async def file(request: Request) -> Response:
        path = request.url.path
        found = files.get(f"/{_SHELL}" if path in {"/", "/join"} else path)
        if found is None:
            raise HTTPException(404)
        return _answer(request, found)

    shells = [Route(path, file, methods=["GET"]) for path in ("/", "/join")]
    return shells + [Route(path, file, methods=["GET"]) for path in files]


def _answer(request: Request, file: File) -> Response:
    headers = {"ETag": file.etag, "Cache-Control": file.caching, "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == file.etag:
        return Response(status_code=304, headers=headers)
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(file.plain, media_type=file.type, headers=headers)
    headers["Content-Encoding"] = "gzip"
    return Response(file.packed, media_type=file.type, headers=headers)


def _file(path: Path, root: Path) -> File:
    plain = path.read_bytes()
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return File(
        plain=plain,
        packed=gzip.compress(plain, 9, mtime=0),
        type=kind,
        etag=f'W/"{sha256(plain).hexdigest()[:16]}"',  # weak: the same for both encodings
        caching=_caching(path.relative_to(root).as_posix()),
    )


def _caching(name: str) -> str:
    if name.startswith("assets/"):
        return FOR_GOOD
    return A_DAY if name.startswith("icons/") else ASK
