"""What every answer carries so that a browser keeps its guard up, and a check of where forms come from."""

from email.utils import format_datetime
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.clock import Clock
from server.problems import FORM_FROM_ELSEWHERE, render

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_PAGES = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class SecurityHeaders:
    """Adds the headers. Answers to phones carry the two that matter to them: each byte is paid for."""

    def __init__(self, app: ASGIApp, *, https: bool, clock: Clock) -> None:
        self._app = app
        self._https = https
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        protocol = scope["path"].startswith("/db")

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                if not protocol:
                    self._dress(headers)
                elif "www-authenticate" in headers:
                    headers["WWW-Authenticate"] = "Bearer"  # at "Basic" a browser opens its own dialog
                elif scope["path"].endswith("/_revs_diff"):
                    # A phone to which a proxy refuses the exchange has no other way to learn the time.
                    headers.setdefault("Date", format_datetime(self._clock(), usegmt=True))
                if "cache-control" not in headers:
                    headers["Cache-Control"] = "no-store"
            await send(message)

        await self._app(scope, receive, sending)

    def _dress(self, headers: MutableHeaders) -> None:
        for name, value in _PAGES.items():
            headers.setdefault(name, value)
        if self._https:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")


class SameOrigin:
    """Refuses what another site's page sends to the office, before any route looks at it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "http" and scope["method"] not in _SAFE and scope["path"].startswith("/office"):
            headers = Headers(scope=scope)
            if not _own(headers):
                await render(Request(scope), FORM_FROM_ELSEWHERE)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _own(headers: Headers) -> bool:
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")
