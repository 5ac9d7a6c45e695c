"""A small commune in a real server: three hamlets, a campaign, households, phones, one collision.

Everything goes in as it does in life: staff write through the scribe, phones through the intake.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
from starlette.applications import Starlette

from server.admission import caller_of
from server.app import build
from server.auth import users
from server.auth.grant import Grant, Role
from server.parts import Parts
from server.scribe import Change
from server.settings import Settings
from server.words import words
from sync.hooks import Refused
from sync.store.interface import Edit
from tests.server.documents import NOW, signature
from tests.server.harness import edit, later

PASSWORD = "đường về bản xa"
HAMLETS = {"nasam": "Nà Sầm", "bandanh": "Bản Danh", "khuoilam": "Khuổi Lắm"}
HOSTILE = '<script>alert("&amp;")</script>'
STROKES = ((100, 200, 300, 260, 420, 180), (500, 500))


FIVE = datetime(2026, 3, 1, 22, tzinfo=UTC)
"""Five in the morning of 2 March here; in UTC it is still the day before."""


def ulid(hamlet: int, number: int) -> str:
    return f"01J8ZQ4T6N3VXK2M5R7W{hamlet:02d}{number:04d}"


HOSTILE_ULID = ulid(0, 1)
SIGNED_ULID = ulid(0, 2)
COLLIDED_ULID = ulid(0, 3)
VISITED_ULID = ulid(0, 4)


@dataclass
class Village:
    """The server, its people by role, and a clock that the test moves."""

    app: Starlette
    parts: Parts
    people: Mapping[str, str]
    now: datetime

    def grant(self, who: str) -> Grant:
        user, role = self.people[who], Role(who.rstrip("2"))
        device = f"phone{user}" if role.walks else None
        return Grant(user, who, role, frozenset(HAMLETS), device=device)

    async def phone(self, who: str, hamlet: str, *edits: Edit) -> None:
        """A phone hands in."""
        caller = caller_of(self.grant(who), words("vi"))
        answers = await self.parts.intake.admit(caller, f"hamlet-{hamlet}", edits)
        refused = [answer for answer in answers if isinstance(answer, Refused)]
        assert not refused, refused
        entering = [answer for answer in answers if isinstance(answer, Edit)]
        await self.parts.store.graft(f"hamlet-{hamlet}", entering)
        await self.parts.intake.observe(f"hamlet-{hamlet}", {one.id for one in entering})

    async def office(self, changes: Mapping[str, Sequence[Change]], who: str = "admin") -> None:
        """Staff write."""
        await self.parts.scribe.write(caller_of(self.grant(who), words("vi")), changes)

    def browser(self, **kept: Any) -> httpx.AsyncClient:
        """Somebody's browser, not signed in."""
        transport = httpx.ASGITransport(app=self.app)
        return httpx.AsyncClient(transport=transport, base_url="http://office.test", **kept)

    @asynccontextmanager
    async def signed_in(self, who: str) -> AsyncIterator["Browser"]:
        """Somebody's browser, signed in."""
        async with self.browser() as client:
            answer = await client.post("/office/login", data={"login": who, "password": PASSWORD})
            assert answer.status_code == 303, answer.text
            yield Browser(client)


@dataclass
class Browser:
    """Reads pages, and sends their forms with the token that they carry."""

    client: httpx.AsyncClient
    token: str = ""

    async def get(self, path: str) -> httpx.Response:
        answer = await self.client.get(path)
        if 'name="csrf" value="' in answer.text:
            self.token = answer.text.split('name="csrf" value="')[1].split('"')[0]
        return answer

    async def send(self, path: str, data: Mapping[str, Any] | None = None, **kept: Any) -> httpx.Response:
        """Post, and go where the answer sends us."""
        answer = await self.post(path, data, **kept)
        assert answer.status_code == 303, (answer.status_code, answer.text)
        return await self.get(answer.headers["location"])

    async def post(self, path: str, data: Mapping[str, Any] | None = None, **kept: Any) -> httpx.Response:
        if not self.token:
            await self.get("/office")
        return await self.client.post(path, data={"csrf": self.token, **(data or {})}, **kept)


@asynccontextmanager
async def village(data: Path, **settings: Any) -> AsyncIterator[Village]:
    """The village, with everything in its rows."""
    made: Village | None = None

    def clock() -> datetime:
        return made.now if made else datetime.fromtimestamp(NOW / 1000, UTC)

    app = await build(Settings(data=data, **settings), clock)
    parts: Parts = app.state.parts
    made = Village(app, parts, _people(parts), clock())
    try:
        await _fill(made)
        yield made
    finally:
        await parts.store.close()
        parts.rows.dispose()


def _people(parts: Parts) -> dict[str, str]:
    names = {
        "admin": "Hoàng Thị Lan",
        "reviewer": "Nông Văn Bình",
        "observer": "Lương Thị Thu",
        "volunteer": "Vi Văn Quân",
        "volunteer2": "Đàm Thị Mai",
    }
    found = {}
    with parts.rows.begin() as rows:
        for who, name in names.items():
            role = Role(who.rstrip("2"))
            person = users.add(
                rows,
                name,
                role,
                by="console",
                now=parts.clock(),
                login=None if role.walks else who,
                hamlets=list(HAMLETS) if role.walks else (),
            )
            if not role.walks:
                users.set_password(rows, person.id, PASSWORD, by="console", now=parts.clock())
            found[who] = person.id
    return found


async def _fill(made: Village) -> None:
    await made.office({"commune": _commune()})
    await made.office({f"hamlet-{hamlet}": _households(place) for place, hamlet in enumerate(HAMLETS)})
    await _walk(made)
    await _collide(made)
    await made.parts.follower.catch_up()


def _commune() -> list[Change]:
    places = enumerate(HAMLETS.items(), start=1)
    return [
        *(
            Change(f"hamlet:{hamlet}", {"name": name, "kind": "thôn", "order": place, "state": "active"})
            for place, (hamlet, name) in places
        ),
        Change(
            "campaign:antq-2026",
            {
                "name": "Cam kết an ninh, trật tự năm 2026",
                "starts": "2026-02-01",
                "ends": "2026-10-31",
                "target": 90,
                "counts": ["resident", "seasonal_away"],
                "touch_counts": True,
                "clauses": 1,
                "notice": 1,
                "state": "open",
            },
        ),
        Change("clauses:1", {"title": "Bản cam kết", "items": ["Không mua bán, tàng trữ, đốt pháo nổ."]}),
        Change("notice:1", {"title": "Thông báo", "items": ["Chỉ ghi tên người ký và ngày ký."]}),
    ]


def _households(place: int) -> list[Change]:
    family, given = (
        ("Hoàng", "Nông", "Vi", "Lương", "Đàm"),
        ("Ánh", "Bích", "Dũng", "Đức", "Hòa", "Mỷ", "Ước"),
    )
    found = []
    for number in range(60 if place == 0 else 12):
        name = f"{family[number % 5]} {'Văn' if number % 2 else 'Thị'} {given[number % 7]}"
        lane = {"lane": f"Ngõ {number // 10 + 1}"} if number % 3 else {}
        found.append(
            Change(
                f"household:{ulid(place, number)}",
                {
                    "name": HOSTILE if ulid(place, number) == HOSTILE_ULID else name,
                    "order": number,
                    "status": {"is": "moved" if number == 11 else "resident", "since": "2026-01-01"},
                    **({"place": lane} if lane else {}),
                },
            )
        )
    return found


async def _walk(made: Village) -> None:
    by, drawn = made.people["volunteer"], signature(STROKES)
    drawn = {**drawn, "by": by, "stamps": {"*": _stamp(by)}}
    touch = {"method": "touch", "signature": drawn["_id"].partition(":")[2]}
    await made.phone(
        "volunteer",
        "nasam",
        edit(drawn, _rev(1, "5")),
        edit(
            _pledge(SIGNED_ULID, by, _act(1, by, "visit", result="met"), _signed(2, by, **touch)),
            _rev(1, "1"),
        ),
        edit(_pledge(VISITED_ULID, by, _act(3, by, "visit", result="nobody_home")), _rev(1, "2")),
    )
    for number in range(1, 12):  # all of Bản Danh that count: 11 of 11
        acts = _signed(10 + number, by, signer=HOSTILE if number == 1 else "Nông Thị Bích")
        place = ulid(1, number if number < 11 else 0)
        await made.phone("volunteer", "bandanh", edit(_pledge(place, by, acts), _rev(1, f"a{number:x}")))


async def _collide(made: Village) -> None:
    """Two phones change one household offline: the later name wins, the other is lost."""
    doc_id = f"household:{COLLIDED_ULID}"
    document = (await made.parts.store.read("hamlet-nasam", [doc_id], lambda _id, tree: list(tree)))[doc_id]
    (rev,) = document.tree
    body = {"_id": doc_id, **orjson.loads(document.bodies[rev].json)}
    for who, ms, digit, fields in (
        ("volunteer", NOW + 1000, "3", {"name": "Tên Thua Cuộc"}),
        ("volunteer2", NOW + 2000, "4", {"name": "Tên Đến Sau", "order": 77}),
    ):
        changed = later(body, made.people[who], ms, **fields)
        await made.phone(who, "nasam", edit(changed, _rev(2, digit), str(rev)))


def _rev(generation: int, digit: str) -> str:
    return f"{generation}-{digit.rjust(32, '0')}"


def _stamp(user: str) -> str:
    return f"{NOW:013d}-0000-phone{user}"


def _pledge(place: str, by: str, *acts: dict[str, Any]) -> dict[str, Any]:
    doc_id = f"pledge:antq-2026:{place}"
    return {
        "_id": doc_id,
        "type": "pledge",
        "v": 1,
        "by": by,
        "stamps": {"*": _stamp(by)},
        "acts": list(acts),
    }


def _act(number: int, by: str, kind: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"01J8ZQ5A0000000000000{number:05d}",
        "at": "2026-03-01T02:03:04Z",
        "by": by,
        "kind": kind,
        **fields,
    }


def _signed(number: int, by: str, **fields: Any) -> dict[str, Any]:
    kept = {
        "signer": "Vi Thị Dũng",
        "role": "spouse",
        "method": "paper_signed",
        "assisted": True,
        "clauses": 1,
        "notice": 1,
        "read_aloud": True,
    }
    return _act(number, by, "signed", **kept | fields)
