"""What a stranger, a broken phone and another site's page get; and what every answer carries."""

import gzip
import json
import os

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from server import recovery, sealing
from server.sealing import b64url, from_b64url
from server.webapp import load, routes
from tests.server.http.served import Served

JOIN = {"code": "ZZZZZ-ZZZZZ", "device_name": "x"}


@pytest.mark.parametrize(
    ("body", "headers", "status", "error"),
    [
        (b"", {}, 400, "bad_request"),
        (b"{", {}, 400, "bad_request"),
        (b"[]", {}, 400, "bad_request"),
        (b"null", {}, 400, "bad_request"),
        (b'{"code": 7, "device_name": "x"}', {}, 400, "bad_request"),
        (b'{"code": "", "device_name": "x"}', {}, 400, "bad_request"),
        (b'{"code": "AAAAAAAAAA"}', {}, 400, "bad_request"),
        (b'{"code": "AAAAAAAAAA", "device_name": "' + b"x" * 61 + b'"}', {}, 400, "bad_request"),
        (b"\xff\xfe", {}, 400, "bad_request"),
        (b'{"code": "\\ud800", "device_name": "x"}', {}, 400, "bad_request"),
        (b"[" * 100_000, {}, 400, "bad_request"),
        (b'{"a": NaN}', {}, 400, "bad_request"),
        (b"not gzip", {"Content-Encoding": "gzip"}, 400, "bad_request"),
        (gzip.compress(b"{}", mtime=0)[:-1], {"Content-Encoding": "gzip"}, 400, "bad_request"),
        (gzip.compress(b"{}", mtime=0) + b"more", {"Content-Encoding": "gzip"}, 400, "bad_request"),
        (b"{}", {"Content-Encoding": "br"}, 415, "bad_content_type"),
        (b"x" * (2**20 + 1), {}, 413, "too_large"),
        (gzip.compress(b" " * 50_000_000, mtime=0), {"Content-Encoding": "gzip"}, 413, "too_large"),
        (json.dumps(JOIN).encode(), {}, 404, "not_found"),
    ],
)
async def test_a_bad_request_is_told_and_the_server_goes_on(
    camket: Served, body: bytes, headers: dict[str, str], status: int, error: str
) -> None:
    answer = await camket.http.post("/join", content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert "Traceback" not in answer.text
    assert (await camket.http.get("/healthz")).json() == {"status": "ok"}


@pytest.mark.parametrize(
    "body",
    [
        b"no gzip",
        gzip.compress(b"{}", mtime=0)[:-1],
        gzip.compress(b"{}", mtime=0)[:-8],
        gzip.compress(b"{}", mtime=0) + b"more",
    ],
    ids=["no gzip", "a byte short", "no trailer", "a tail"],
)
async def test_broken_gzip_is_told_apart_from_a_wrong_form(camket: Served, body: bytes) -> None:
    headers = {"Content-Encoding": "gzip", "Accept-Language": "en"}
    answer = await camket.http.post("/join", content=body, headers=headers)
    assert answer.json()["reason"].startswith("What was sent is compressed and broken")


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("DELETE", "/join", 405, "method_not_allowed"),
        ("GET", "/sealed", 405, "method_not_allowed"),
        ("GET", "/recovery/x", 401, "unauthorized"),
        ("POST", "/recovery", 401, "unauthorized"),
        ("POST", "/db/_exchange", 401, "unauthorized"),
    ],
)
async def test_every_refusal_has_a_name_and_a_reason(
    camket: Served, method: str, path: str, status: int, error: str
) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await camket.http.request(method, path, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["reason"]


async def test_wrong_codes_are_limited_by_address(camket: Served) -> None:
    answers = [await camket.http.post("/join", json=JOIN) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [404] * 10 + [429]
    assert answers[-1].json()["error"] == "too_many_requests"
    assert int(answers[-1].headers["retry-after"]) > 800


async def test_a_forwarded_address_is_believed_from_trusted_proxies_only(camket: Served) -> None:
    for turn in range(11):
        headers = {"X-Forwarded-For": f"192.0.2.{turn}"}
        answer = await camket.http.post("/join", json=JOIN, headers=headers)
    assert answer.status_code == 429


async def test_pages_are_strict_about_what_they_load(camket: Served) -> None:
    for path in ("/healthz", "/office/login", "/office/nothing"):
        headers = (await camket.http.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "strict-transport-security" not in headers  # plain http here


async def test_answers_to_phones_carry_few_headers(camket: Served) -> None:
    answer = await (await camket.phone()).ask_exchange()
    assert "content-security-policy" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1"}, 401),
        ({}, 401),
    ],
)
async def test_another_sites_page_cannot_send_our_forms(
    camket: Served, headers: dict[str, str], status: int
) -> None:
    form = {"login": "nobody", "password": "wrong"}
    answer = await camket.http.post("/office/login", data=form, headers=headers)
    assert answer.status_code == status


async def test_pages_of_the_office_ask_to_sign_in(camket: Served) -> None:
    answer = await camket.http.get("/office")
    assert (answer.status_code, answer.headers["location"]) == (303, "/office/login")


async def test_metrics_count_requests_and_name_nobody(camket: Served) -> None:
    phone = await camket.phone()
    await phone.exchange()
    text = (await camket.http.get("/metrics")).text
    assert 'camket_requests_total{area="db",status="2xx"} 1.0' in text
    assert 'camket_requests_total{area="join",status="2xx"} 1.0' in text
    assert phone.device not in text


async def test_an_unexpected_error_is_a_number_and_its_text_is_nowhere(
    camket: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(camket.volunteer.name)

    monkeypatch.setattr("server.identity.invitations.redeem", fail)
    answer = await camket.http.post("/join", json=JOIN)
    number = answer.json()["reason"].split()[-1].rstrip(".")
    assert (answer.status_code, answer.json()["error"]) == (500, "internal_error")
    assert number in caplog.text
    assert "Bích" not in caplog.text + answer.text


async def test_a_forgotten_pin_comes_back_by_an_admins_hand(camket: Served) -> None:
    phone, reply, data_key = await camket.phone(), generate_private_key(SECP256R1()), os.urandom(32)
    wrapped = phone.seal_bytes(data_key, "recovery_key", b"camket recovery 1")
    spki = reply.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    asked = {"wrapped": b64url(wrapped), "reply_key": b64url(spki)}
    made = (await camket.http.post("/recovery", json=asked, headers=phone.bearer())).json()["id"]

    async def state(asking: dict[str, str]) -> httpx.Response:
        return await camket.http.get(f"/recovery/{made}", headers=asking)

    assert (await state(phone.bearer())).json() == {"state": "pending"}
    with camket.parts.rows.begin() as rows:
        recovery.approve(rows, camket.parts.vault, made, by="console", now=camket.parts.clock())
    told = (await state(phone.bearer())).json()
    assert told["state"] == "approved"
    assert sealing.unseal(from_b64url(told["wrapped"]), reply, made, sealing.RECOVERY) == data_key
    assert (await state((await camket.phone()).bearer())).status_code == 404
    assert (await state({})).status_code == 401


@pytest.mark.parametrize(
    "asked",
    [{}, {"wrapped": "AAAA"}, {"wrapped": "AAAA", "reply_key": "AAAA"}, {"wrapped": "!", "reply_key": "!"}],
)
async def test_a_recovery_that_cannot_be_read_is_refused(camket: Served, asked: dict[str, str]) -> None:
    phone = await camket.phone()
    answer = await camket.http.post("/recovery", json=asked, headers=phone.bearer())
    assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")


@pytest.mark.parametrize(
    ("path", "caching", "kind"),
    [
        ("/", "no-cache", "text/html; charset=utf-8"),
        ("/join", "no-cache", "text/html; charset=utf-8"),
        ("/sw.js", "no-cache", "text/javascript; charset=utf-8"),
        ("/manifest.webmanifest", "no-cache", "application/manifest+json"),
        ("/assets/app-1f2e.js", "public, max-age=31536000, immutable", "text/javascript; charset=utf-8"),
        ("/icons/192.png", "public, max-age=86400", "image/png"),
    ],
)
async def test_the_web_app_is_cached_so_that_it_can_be_updated(
    tmp_path_factory: pytest.TempPathFactory, path: str, caching: str, kind: str
) -> None:
    from starlette.applications import Starlette

    root = tmp_path_factory.mktemp("dist")
    for name in ("index.html", "sw.js", "manifest.webmanifest", "assets/app-1f2e.js", "icons/192.png"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("x" * 1000)
    transport = httpx.ASGITransport(Starlette(routes=routes(load(root))))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        packed = await http.get(path)
        assert (packed.headers["cache-control"], packed.headers["content-type"]) == (caching, kind)
        assert packed.headers["content-encoding"] == "gzip"
        assert int(packed.headers["content-length"]) < 100
        plain = await http.get(path, headers={"Accept-Encoding": "identity"})
        assert plain.text == packed.text
        assert "content-encoding" not in plain.headers
        again = await http.get(path, headers={"If-None-Match": packed.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert (await http.get("/assets/other.js")).status_code == 404
