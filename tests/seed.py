"""A commune of any size for tests and benchmarks that need a whole server: hamlets, households, people."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from server.admission import caller_of
from server.app import build
from server.auth import invitations, users
from server.auth.grant import Grant, Role
from server.clock import system
from server.parts import Parts
from server.scribe import Change
from server.settings import Settings
from server.words import words

CAMPAIGN = "antt2026"
PASSWORD = "mot-hai-ba-bon-nam"
FAMILY = ("Hoàng", "Nông", "Lý", "Vi", "Triệu", "Hứa", "Đinh", "Lương", "Nguyễn", "Bế")
GIVEN = ("Văn An", "Thị Bình", "Văn Cường", "Thị Dung", "Văn Đạt", "Thị Hà", "Văn Long", "Thị Mai", "Văn Sơn")


@dataclass(frozen=True, slots=True)
class Commune:
    """Who may come in: an invitation code for each volunteer, a login name for each member of staff."""

    codes: Mapping[str, str]
    logins: Mapping[str, str]


def household_id(hamlet: str, number: int) -> str:
    """A ULID that follows from hamlet and number, so that a test can name a household."""
    digits = hashlib.sha256(f"{hamlet}/{number}".encode()).digest()
    return "01" + "".join("0123456789ABCDEFGHJKMNPQRSTVWXYZ"[byte % 32] for byte in digits[:24])


def name_of(number: int) -> str:
    """The head of the household with that number on the walk."""
    return f"{FAMILY[number % len(FAMILY)]} {GIVEN[number // len(FAMILY) % len(GIVEN)]}"


async def seed(data: Path, hamlets: Mapping[str, int], volunteers: Mapping[str, list[str]]) -> Commune:
    """Fill `data`: so many households in each hamlet, and volunteers with the hamlets that each may walk.

    `khuoi1`, `khuoi2` … are all called Khuoi: each test of a shared server walks one of its own.
    """
    app = await build(Settings(data=data))
    parts = app.state.parts
    assert isinstance(parts, Parts)
    try:
        with parts.rows.begin() as rows:
            staff = {
                login: users.add(rows, name, role, by="console", now=system(), login=login).id
                for login, name, role in (
                    ("quantri", "Hoàng Thị Lan", Role.ADMIN),
                    ("canbo", "Nông Văn Hải", Role.REVIEWER),
                    ("giamsat", "Lý Thị Hoa", Role.OBSERVER),
                )
            }
            for user in staff.values():
                users.set_password(rows, user, PASSWORD, by="console", now=system())
        admin = caller_of(Grant(staff["quantri"], "", Role.ADMIN, frozenset(hamlets)), words("vi"))
        await parts.scribe.write(admin, {"commune": _shared(hamlets)})
        await parts.scribe.write(
            admin,
            {
                f"hamlet-{hamlet}": [
                    Change(
                        f"household:{household_id(hamlet, number)}",
                        {
                            "name": name_of(number),
                            "place": {"house": str(number + 1)},
                            "order": (number + 1) * 10,
                            "status": {"is": "resident", "since": "2026-01-01"},
                        },
                    )
                    for number in range(count)
                ]
                for hamlet, count in hamlets.items()
            },
        )
        with parts.rows.begin() as rows:
            codes = {}
            for name, walks in volunteers.items():
                walker = users.add(rows, name, Role.VOLUNTEER, by="console", now=system(), hamlets=walks)
                codes[name] = invitations.invite(rows, walker.id, by="console", now=system()).code
        return Commune(codes, {login: login for login in staff})
    finally:
        await parts.store.close()
        parts.rows.dispose()


def _shared(hamlets: Mapping[str, int]) -> list[Change]:
    kinds = [
        Change(
            f"hamlet:{hamlet}",
            {
                "name": hamlet.rstrip("0123456789").title(),
                "kind": "thôn",
                "order": order,
                "state": "active",
            },
        )
        for order, hamlet in enumerate(hamlets, 1)
    ]
    campaign = {
        "name": "Cam kết bảo đảm an ninh, trật tự năm 2026",
        "starts": "2026-01-01",
        "ends": "2026-12-31",
        "target": 90,
        "counts": ["resident", "seasonal_away"],
        "touch_counts": True,
        "clauses": 1,
        "notice": 1,
        "state": "open",
    }
    clauses = {
        "title": "Bản cam kết",
        "items": ["Chấp hành pháp luật về an ninh, trật tự.", "Không đốt pháo."],
    }
    notice = {"title": "Thông báo", "items": ["UBND xã thu thập tên người ký để theo dõi phong trào."]}
    return [
        *kinds,
        Change(f"campaign:{CAMPAIGN}", campaign),
        Change("clauses:1", clauses),
        Change("notice:1", notice),
    ]
