"""What the office does in a season: the pages' own forms, posted to the running server by an admin."""

import html
import json
import re
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from sqlalchemy import Engine

from server import restores
from server.audit import CONSOLE
from server.auth import invitations, sessions
from server.office import record
from server.rows.engine import open_rows, readers
from server.words import words
from tests.sim.founding import ADMIN, volunteer
from tests.sim.servers import Clock

FORGED = "Gian Ác"
"""What phones in the wrong hands write in another's name (`tests.sim.steps_hostile`)."""
ERASE = words("vi").say("office.rights.word")


class Entry(NamedTuple):
    """One record that waits."""

    number: int
    db: str
    id: str
    rev: str
    why: str
    newer: bool
    """Whether a later program wrote it, which this one cannot let in."""
    forged: bool
    """Whether the office can tell, by asking the person whose name it bears, that it was not they."""


@dataclass(slots=True)
class Office:
    """Over one data directory and the server on `port`."""

    data: Path
    clock: Clock
    http: httpx.AsyncClient
    port: int = 0
    _engine: Engine | None = None

    # --- what the console does ---

    def close(self) -> None:
        """Let go of the file: it is about to be another one."""
        if self._engine:
            self._engine.dispose()
            self._engine = None

    def invite(self, number: int) -> str:
        """A code for a phone of a volunteer."""
        with self._rows().begin() as rows:
            return invitations.invite(rows, volunteer(number), by=CONSOLE, now=self.clock()).code

    def devices(self) -> dict[str, str]:
        """Phones that the server knows, each with the digest of the credential by which it does."""
        return {str(device): str(digest) for device, digest in self._all("SELECT id, credential FROM device")}

    def recovers(self) -> bool:
        """Whether phones may still say that this server knew them before it was restored."""
        with readers(self._rows()).begin() as rows:
            return restores.lately(rows, self.clock())

    def hamlets(self, number: int) -> list[str]:
        """The hamlets that a volunteer holds."""
        asked = "SELECT hamlet FROM user_hamlet WHERE user = ? ORDER BY hamlet"
        return [hamlet for (hamlet,) in self._all(asked, volunteer(number))]

    def hamlet_of(self, ulid: str) -> str:
        """Where a household is; empty where it is nowhere."""
        db = self._one("SELECT db FROM household_row WHERE ulid = ?", ulid)
        return str(db or "").removeprefix("hamlet-")

    def inspected_in(self, ulid: str) -> str:
        """Where an inspection is; empty where it is nowhere."""
        return str(self._one("SELECT db FROM inspection_row WHERE ulid = ?", ulid) or "").removeprefix(
            "hamlet-"
        )

    def send_only(self) -> list[str]:
        """Phones that only hand in since a restore."""
        asked = "SELECT id FROM device WHERE send_only_at IS NOT NULL AND revoked_at IS NULL ORDER BY id"
        return [device for (device,) in self._all(asked)]

    def waiting(self) -> list[Entry]:
        """What waits in quarantine."""
        asked = (
            "SELECT number, db, doc_id, rev, why, json_extract(body, '$.v') > 1, CAST(body AS TEXT) LIKE ?"
            " FROM quarantine WHERE state = 'waiting' ORDER BY number"
        )
        return [Entry(*row) for row in self._all(asked, f"%{FORGED}%")]

    # --- what the pages do ---

    async def review(self, hamlet: str, doc_id: str, decision: str) -> bool:
        """Approve or return a record as it stands."""
        digest = self._one(
            "SELECT digest FROM record_row WHERE db = ? AND id = ?", f"hamlet-{hamlet}", doc_id
        )
        form = {"digest": digest, "decision": decision, "template": "other", "comment-other": "Xem lại."}
        return bool(digest) and await self._post(f"/office/review/{hamlet}/{doc_id}", **form)

    async def correct(self, hamlet: str, ulid: str, name: str) -> bool:
        """Give a household another name."""
        columns = "rev, house, lane, walk, status, since"
        row = self._row(
            f"SELECT {columns} FROM household_row WHERE db = ? AND ulid = ?", f"hamlet-{hamlet}", ulid
        )
        if row is None:
            return False
        rev, house, lane, walk, status, since = row
        day = "/".join(reversed(since.split("-")))
        form = {
            "rev": rev,
            "name": name,
            "house": house,
            "lane": lane,
            "order": walk,
            "status": status,
            "since": day,
        }
        return await self._post(f"/office/households/{hamlet}/{ulid}/edit", **form)

    async def withdraw(self, hamlet: str, ulid: str) -> bool:
        """Take a signature of a household back."""
        with readers(self._rows()).begin() as rows:
            found = record.find(rows, hamlet, ulid)
        for pledge in found.pledges if found else ():
            back = {act.get("target") for act in pledge.acts}
            for act in pledge.acts:
                if act["kind"] == "signed" and act["id"] not in back:
                    form = {"pledge": pledge.id, "act": act["id"]}
                    return await self._post(f"/office/households/{hamlet}/{ulid}/withdraw", **form)
        return False

    async def bring_back(self, hamlet: str, ulid: str) -> bool:
        """Restore a value of a household that lost, by the first such form of its history."""
        path = f"/office/history/{hamlet}/household:{ulid}"
        page = await self._get(path)
        for form in re.findall(r'<form class="bring-back.*?</form>', page, re.DOTALL):
            said = dict(re.findall(r'name="(id|rev|field|seen)" value="([^"]*)"', form))
            if "state-warn" in form and len(said) == 4:
                return await self._post(path, **{name: html.unescape(value) for name, value in said.items()})
        return False

    async def merge(self, hamlet: str, gone: str, keep: str) -> bool:
        """Tell the server that two households are one."""
        form = {"hamlet": hamlet, "one": gone, "other": keep, "keep": keep, "do": "merge"}
        return await self._post("/office/duplicates", **form)

    async def move(self, source: str, into: str, ulids: Sequence[str]) -> bool:
        """Move households to another hamlet; the whole hamlet becomes part of it where none is named."""
        form = {"how": "part" if ulids else "merge", "source": source, "into": into, "do": "confirm"}
        chosen = {"chosen": "1", "one": [f"household:{ulid}" for ulid in ulids]} if ulids else {}
        return await self._post("/office/moves", **form, **chosen)

    async def choose(self, ulid: str, take: int) -> bool:
        """Settle what was answered at the same time: one of the values, or for `take` 3 a mixture."""
        hamlet, doc_id = self.inspected_in(ulid), f"inspection:{ulid}"
        page = await self._get(f"/office/choose/{hamlet}/{doc_id}") if hamlet else ""
        offered = re.findall(r'name="take" value="([^"]+)"', page)
        if not offered:
            return False
        (seen,) = set(re.findall(r'name="seen" value="([^"]+)"', page))
        form = {"seen": seen, "take": offered[take % len(offered)], "item-count": "1"}
        return await self._post(f"/office/choose/{hamlet}/{doc_id}", **form)

    async def erase_photo(self, ulid: str) -> bool:
        """Erase the first photograph that an inspection shows, whether it has come or not."""
        hamlet = self.inspected_in(ulid)
        named = self._one("SELECT photos FROM inspection_row WHERE ulid = ?", ulid) if hamlet else None
        shown = [photo["id"] for photo in json.loads(named or "[]") if "item" in photo]
        if not shown:
            return False
        return await self._post(f"/office/photos/{hamlet}/{shown[0]}/erase", back="/office")

    async def unmerge(self, hamlet: str, gone: str) -> bool:
        """Part a household from the one that it was merged into."""
        if self._one("SELECT status FROM household_row WHERE ulid = ?", gone) != "merged_into":
            return False
        return await self._post("/office/duplicates", hamlet=hamlet, one=gone, do="part")

    async def split(self, source: str, name: str, ulids: Sequence[str], *, people: bool) -> str:
        """Found a hamlet for these households; its id, empty where it was not founded."""
        form = {"how": "part", "source": source, "into": "new", "name": name, "do": "confirm", "chosen": "1"}
        wanted = {"one": [f"household:{ulid}" for ulid in ulids]} | ({"people": "1"} if people else {})
        done = await self._post("/office/moves", **form, **wanted)
        asked = "SELECT hamlet FROM hamlet_row WHERE name = ?"
        return str(self._one(asked, name.removeprefix("Thôn ")) or "") if done else ""

    async def erase(self, hamlet: str, ulid: str) -> bool:
        """Erase a household and all that is said of it."""
        return await self._post(f"/office/households/{hamlet}/{ulid}/rights/erase", word=ERASE)

    async def decide(self, numbers: Sequence[int], what: str) -> bool:
        """Release or discard entries of the quarantine."""
        return bool(numbers) and await self._post(
            "/office/quarantine", number=[str(one) for one in numbers], do=what
        )

    async def revoke(self, device: str) -> bool:
        """Shut a phone out."""
        return await self._post(f"/office/devices/{device}/revoke")

    async def confirm(self, device: str) -> bool:
        """Make a phone a full one again, after a restore."""
        return await self._post(f"/office/devices/{device}/confirm")

    async def confirm_clock(self) -> bool:
        """Say that the server's clock is right, where the pages say that it is wrong."""
        return "/office/clock" in await self._get("/office") and await self._post("/office/clock", sure="1")

    # --- inside ---

    async def _get(self, path: str) -> str:
        """A page, empty where there is none."""
        answer = await self._ask("GET", path)
        return answer.text if answer.status_code == 200 else ""

    async def _post(self, path: str, **form: Any) -> bool:
        """Whether the server did as it was asked."""
        return (await self._ask("POST", path, form)).status_code == 303

    async def _ask(self, method: str, path: str, form: Mapping[str, Any] | None = None) -> httpx.Response:
        """Raises AssertionError where the server broke, or does not know the admin."""
        cookie, csrf = self._sign_in()
        answer = await self.http.request(
            method,
            f"http://127.0.0.1:{self.port}{path}",
            data=None if form is None else {**form, "csrf": csrf},
            headers={"Cookie": f"{sessions.COOKIE}={cookie}"},
        )
        assert answer.status_code < 500, f"{path}: {answer.status_code}"
        assert answer.status_code != 401, f"{path}: the admin is not signed in"
        return answer

    def _sign_in(self) -> tuple[str, str]:
        with self._rows().begin() as rows:
            cookie = sessions.start(rows, ADMIN, self.clock())
            return cookie, sessions.find(rows, cookie, self.clock()).csrf

    def _rows(self) -> Engine:
        self._engine = self._engine or open_rows(self.data)
        return self._engine

    def _all(self, asked: str, *values: Any) -> list[Any]:
        with closing(
            sqlite3.connect(f"file:{self.data / 'rows.sqlite'}?mode=ro", uri=True, timeout=30)
        ) as rows:
            return rows.execute(asked, values).fetchall()

    def _row(self, asked: str, *values: Any) -> Any:
        return next(iter(self._all(asked, *values)), None)

    def _one(self, asked: str, *values: Any) -> Any:
        row = self._row(asked, *values)
        return row[0] if row else None
