"""Faults of names that somebody has taken before, which follow from what another person has said."""

from tests.mutation.faults import Fault

NAMES = "tests/server/http/test_taken_names.py"
TOMBSTONES = "tests/server/http/test_taken_tombstones.py"

TAKEN = (
    Fault(
        "an act is taken for another one by the id that it would have beside it",
        "server/aside.py",
        '    while name in there and timeless(there[name]) != timeless({**said, "id": name}):\n',
        "    while False:\n",
        (NAMES,),
    ),
    Fault(
        "a record that is let in by a taken name is gone",
        "server/release.py",
        "            names = naming.free(connection, db, given, documents)\n",
        "            names: naming.Names = {}\n",
        (f"{NAMES}::test_all_names_that_a_release_would_give_hers_are_taken_and_hide_no_work",),
    ),
    Fault(
        "whoever has other words by a name is told to show those",
        "sync/http/exchange.py",
        "return () if self.came.get((doc_id, winner)) == winner else (winner,)\n",
        "return () if (doc_id, winner) in self.came else (winner,)\n",
        (f"{NAMES}::test_whose_words_lose_to_others_by_their_name_is_shown_those",),
    ),
    Fault(
        "a record that was let in is closed wherever it is",
        "server/release.py",
        "            stand = [one for one in here if _stands(one, documents.get(one.edit.id))]\n",
        "            stand = here\n",
        (f"{NAMES}::test_what_was_let_in_and_is_not_there_still_waits",),
    ),
    Fault(
        "other words by a name that is kept are dropped in silence",
        "server/archive.py",
        "    if insert_new(connection, _archive, rows) < len(rows) and whole:\n",
        "    if insert_new(connection, _archive, rows) < 0:\n",
        (f"{NAMES}::test_other_words_by_a_name_that_is_kept_are_no_silent_loss",),
    ),
    Fault(
        "what moves is hidden by what somebody has written upon its name there",
        "server/arriving.py",
        "        elif new and rev in new.tree and not there and",
        "        elif False and",
        (f"{NAMES}::test_an_inspections_name_that_is_taken_where_it_moves_hides_no_work",),
    ),
    Fault(
        "what goes beside a taken name goes by one that is taken too",
        "server/arriving.py",
        "    names = naming.free(connection, db, given, {doc_id: new} if new else {})\n",
        "    names: naming.Names = {}\n",
        (f"{NAMES}::test_an_inspections_name_that_is_taken_where_it_moves_hides_no_work",),
    ),
    Fault(
        "what was closed by a later record is in no history where its name is taken",
        "server/superseding.py",
        "                    names = naming.free(connection, db, {(kept.id, kept.rev): kept.body}, {})\n",
        "                    names: naming.Names = {}\n",
        ("tests/server/test_superseding.py",),
    ),
    Fault(
        "lost words whose pledge has gone on are history alone",
        "server/admission.py",
        "        if live and not adds(",
        "        if not live or not adds(",
        (TOMBSTONES,),
    ),
    Fault(
        "lost words that are let in and whose pledge has gone on are history alone",
        "server/release.py",
        "(not live or superseding.adds(new, live, parent))",
        "(live and superseding.adds(new, live, parent))",
        (TOMBSTONES,),
    ),
)
