"""What `tests.sim.test_sim` breaks in a season on purpose, just before it is asked what holds."""

import json
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from typing import Any

from sync import canonical, revtree
from sync.rev import Rev
from sync.store.interface import Edit
from sync.store.sqlite import SqliteStore
from tests.commune import households
from tests.sim.founding import inspection
from tests.sim.runner import Runner

NAPO = "hamlet-napo"
FIRST, SECOND = list(households("napo"))[:2]
INSPECTION = f"inspection:{inspection('napo', '0')}"
Break = Callable[[Runner], Awaitable[None]]


async def rows(runner: Runner, statement: str) -> None:
    with closing(sqlite3.connect(runner.data / "rows.sqlite", timeout=30)) as connection:
        assert connection.execute(statement).rowcount > 0
        connection.commit()


async def graft(runner: Runner, doc_id: str, *, beside: bool = False, **fields: Any) -> None:
    """Write into the store behind the server's back, and let the rows hear of it."""
    await runner.kill_server()
    store = await SqliteStore.open(runner.data / "documents.sqlite")
    try:
        held = await store.read(NAPO, [doc_id], lambda _id, tree: revtree.leaves(tree))
        document = held[doc_id]
        winner = revtree.winner(document.tree)
        above = revtree.ancestry(document.tree, winner)[1 if beside else 0 :]
        body = {**json.loads(document.bodies[winner].json), **fields}
        rev = Rev(above[0].generation + 1 if above else 1, "f" * 32)
        await store.graft(NAPO, [Edit(doc_id, (rev, *above), canonical.encode(body))])
    finally:
        await store.close()
    if not beside:
        await runner.start_server()
        await runner.rest()


async def a_revision_is_lost(runner: Runner) -> None:
    await rows(runner, f"DELETE FROM archive WHERE id = 'pledge:antq-2026:{FIRST}'")


async def a_document_is_lost(runner: Runner) -> None:
    await runner.kill_server()
    with closing(sqlite3.connect(runner.data / "documents.sqlite")) as connection:
        connection.execute("DELETE FROM doc WHERE id = ?", (f"household:{FIRST}",))
        connection.commit()


async def a_value_comes_from_nowhere(runner: Runner) -> None:
    await graft(runner, f"household:{FIRST}", order=7)


async def a_conflict_is_left(runner: Runner) -> None:
    await graft(runner, f"household:{FIRST}", beside=True, order=8)


async def a_household_is_miscounted(runner: Runner) -> None:
    await rows(runner, f"UPDATE household_row SET status = 'moved' WHERE ulid = '{FIRST}'")


async def what_was_forged_stands(runner: Runner) -> None:
    await graft(runner, f"household:{FIRST}", name="Gian Ác S9X")


async def an_erased_one_is_back(runner: Runner) -> None:
    await runner.kill_server()
    store = await SqliteStore.open(runner.data / "documents.sqlite")
    tree = (await store.trees(NAPO, [f"household:{SECOND}"]))[f"household:{SECOND}"]
    winner = revtree.winner(tree)
    path = (Rev(winner.generation + 1, "f" * 32), *revtree.ancestry(tree, winner))
    body = canonical.encode({"type": "household", "name": "Hoàng Văn 2"})
    await store.graft(NAPO, [Edit(f"household:{SECOND}", path, body)])
    await store.close()


async def a_revoked_one_is_back(runner: Runner) -> None:
    await rows(runner, "UPDATE device SET revoked_at = NULL")


async def acts_are_lost(runner: Runner) -> None:
    await graft(runner, f"pledge:antq-2026:{FIRST}", acts=[])


async def an_act_is_altered(runner: Runner) -> None:
    act = {"id": await id_of_act(runner), "by": "volunteer00", "at": "2026-03-02T05:00:00Z", "kind": "visit"}
    await graft(runner, f"pledge:antq-2026:{FIRST}", acts=[act | {"result": "met"}])


async def id_of_act(runner: Runner) -> str:
    with closing(sqlite3.connect(runner.data / "rows.sqlite", timeout=30)) as connection:
        return str(connection.execute("SELECT id FROM act_row WHERE kind = 'signed'").fetchone()[0])


async def an_erased_one_is_in_the_history(runner: Runner) -> None:
    columns = "db, id, rev, generation, entered_at, source, deleted, body"
    values = f"'{NAPO}', 'household:{SECOND}', '1-f', 1, '', 'sent', 0, '{{}}'"
    await rows(runner, f"INSERT INTO archive ({columns}) VALUES ({values})")


async def an_erased_one_is_held(runner: Runner) -> None:
    columns = "db, doc_id, rev, path, body, deleted, why, received_at, state, sender, size"
    values = f"'{NAPO}', 'household:{SECOND}', '1-f', '[]', '{{}}', 0, 'revoked', '', 'discarded', '', 0"
    await rows(runner, f"INSERT INTO quarantine ({columns}) VALUES ({values})")


async def an_erased_name_is_in_a_file(runner: Runner) -> None:
    await rows(runner, "INSERT INTO meta (key, value) VALUES ('note', 'Vi Văn S4X')")


async def a_revoked_one_enters(runner: Runner) -> None:
    (device,) = runner.said.revoked
    columns = "db, id, rev, generation, entered_at, source, deleted"
    body = json.dumps({"type": "household", "stamps": {"*": f"1772427600000-0000-{device}"}})
    values = f"'{NAPO}', 'household:x', '1-f', 1, '', 'sent', 0, '{body}'"
    await rows(runner, f"INSERT INTO archive ({columns}, body) VALUES ({values})")


async def the_rows_do_not_follow(runner: Runner) -> None:
    await a_conflict_is_left(runner)
    runner.patience = 0.05
    await runner.rest()


async def the_server_breaks(runner: Runner) -> None:
    with closing(sqlite3.connect(runner.data / "rows.sqlite", timeout=30)) as connection:
        connection.execute("ALTER TABLE household_row RENAME TO elsewhere")
        with suppress(AssertionError):
            await runner.office.bring_back("napo", FIRST)
        connection.execute("ALTER TABLE elsewhere RENAME TO household_row")


async def a_history_has_a_gap(runner: Runner) -> None:
    await rows(runner, "DELETE FROM archive WHERE id = 'clauses:1'")


async def an_answer_is_dropped(runner: Runner) -> None:
    await graft(runner, INSPECTION, asks={})


async def the_office_does_not_ask(runner: Runner) -> None:
    await rows(runner, "DELETE FROM attention_row")


async def a_photograph_is_lost(runner: Runner) -> None:
    (kept,) = (path for path in (runner.data / "media" / "napo").iterdir() if len(path.name) == 64)
    kept.unlink()


async def a_photograph_is_altered(runner: Runner) -> None:
    (kept,) = (path for path in (runner.data / "media" / "napo").iterdir() if len(path.name) == 64)
    kept.write_bytes(kept.read_bytes() + b"x")


async def an_erased_photograph_is_back(runner: Runner) -> None:
    with closing(sqlite3.connect(runner.data / "rows.sqlite", timeout=30)) as connection:
        ((erased,),) = connection.execute("SELECT id FROM ledger WHERE kind = 'erased'").fetchall()
    (runner.data / "media" / "napo" / erased.removeprefix("photo:")).write_bytes(b"x")


async def what_is_newer_is_lost(runner: Runner) -> None:
    await rows(runner, "DELETE FROM quarantine")


async def what_is_newer_enters(runner: Runner) -> None:
    await graft(runner, f"household:{SECOND}", v=2)


async def what_is_newer_is_in_the_history(runner: Runner) -> None:
    columns = "db, id, rev, generation, entered_at, source, deleted, body"
    values = f"'{NAPO}', 'household:{SECOND}', '2-f', 2, '', 'sent', 0, '{{\"v\": 2}}'"
    await rows(runner, f"INSERT INTO archive ({columns}) VALUES ({values})")


async def nothing(_: Runner) -> None:
    pass
