"""Prometheus metrics: how many requests, how long, and how they ended. Counts only; no id, no address."""

import time

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

AREAS = ("db", "sealed", "join", "recovery", "office", "api", "healthz", "metrics")
"""First parts of addresses that are counted apart; all others are the web app's files."""


class Metrics:
    """The registry of one server."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "camket_requests", "Requests answered", ["area", "status"], registry=self._registry
        )
        self.seconds = Histogram(
            "camket_request_seconds", "Time to the last byte", ["area"], registry=self._registry
        )

    async def page(self, _request: Request) -> Response:
        """What Prometheus scrapes."""
        return Response(generate_latest(self._registry), media_type="text/plain; version=0.0.4")


class Measured:
    """Counts every request that passes."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        area = area_of(scope["path"])
        status = "cut"
        began = time.perf_counter()

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = f"{message['status'] // 100}xx"
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            self._metrics.requests.labels(area, status).inc()
            self._metrics.seconds.labels(area).observe(time.perf_counter() - began)


def area_of(path: str) -> str:
    """The part of the product that an address belongs to: one of `AREAS`, or `app`."""
    first = path.split("/", 2)[1] if path.startswith("/") else ""
    return first if first in AREAS else "app"
