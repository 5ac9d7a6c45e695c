"""What the office does while its server is down: `python -m tests.desk DIR LOGIN`, told in JSON on stdin.

    {"write": {"commune": {"model:…": {fields}}}, "review": [{"of": "inspection:…", "is": "returned", …}],
     "quarantine": "release" or "discard" (of all that waits), "erase": "<database>/<household's ulid>",
     "erase_photo": "<hamlet>/<sha256>"}

A review looks at the record as the rows have it, as the page of the office does.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select

from server.admission import caller_of
from server.app import build
from server.auth import users
from server.auth.grant import Grant
from server.erasing import Eraser
from server.parts import Parts
from server.release import Warden
from server.rows import tables
from server.rows.engine import table
from server.rows.registers import RecordRow
from server.scribe import Change
from server.settings import Settings
from server.words import words

_records, _quarantine = table(RecordRow), table(tables.Quarantine)


async def at_desk(
    data: Path,
    login: str,
    write: Mapping[str, Mapping[str, Mapping[str, Any]]] | None = None,
    review: Sequence[Mapping[str, Any]] = (),
    quarantine: str = "",
    erase: str = "",
    erase_photo: str = "",
) -> None:
    """Write documents by database and id, review records that have arrived, decide about what is held, and
    erase a household or a photograph, in this order, as the person `login`."""
    app = await build(Settings(data=data))
    parts: Parts = app.state.parts
    try:
        with parts.rows.begin() as rows:
            person = users.find(rows, login)
            hamlets = users.reach(rows, person.id, person.role)
        caller = caller_of(Grant(person.id, person.name, person.role, hamlets), words("vi"))
        if write:
            changes = {
                db: [Change(id_, fields) for id_, fields in docs.items()] for db, docs in write.items()
            }
            await parts.scribe.write(caller, changes)
        await parts.follower.catch_up([f"hamlet-{hamlet}" for hamlet in hamlets])
        with parts.rows.begin() as rows:
            found = {
                row.id: (row.db, row.digest)
                for row in rows.execute(select(_records.c.id, _records.c.db, _records.c.digest))
            }
        for one in review:
            db, digest = found[one["of"]]
            decision = {"is": one["is"], "digest": digest}
            if one.get("comment"):
                decision["comment"] = one["comment"]
            await parts.scribe.write(caller, {db: [Change(f"review:{one['of']}", {"decision": decision})]})
        if quarantine:
            with parts.rows.begin() as rows:
                waiting = rows.execute(select(_quarantine.c.number).where(_quarantine.c.state == "waiting"))
                numbers = list(waiting.scalars())
            warden = Warden(parts.store, parts.rows, parts.intake, parts.clock, parts.blobs)
            await (warden.release if quarantine == "release" else warden.discard)(person.id, numbers)
        if erase:
            await Eraser(parts.store, parts.rows, parts.clock).erase(person.id, *erase.split("/"))
        if erase_photo:
            await Eraser(parts.store, parts.rows, parts.clock).erase_photo(person.id, *erase_photo.split("/"))
    finally:
        await parts.store.close()
        parts.rows.dispose()


def main() -> None:
    """The command."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("data", type=Path)
    arguments.add_argument("login")
    asked = arguments.parse_args()
    told = json.load(sys.stdin)
    asyncio.run(at_desk(asked.data, asked.login, **told))


if __name__ == "__main__":
    main()
