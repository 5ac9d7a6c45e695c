"""Faults of names that somebody has taken before, which follow from what another person has said."""

from tests.mutation.faults import Fault

NAMES = "tests/server/http/test_taken_names.py"
OWN = "tests/server/http/test_own_names.py"
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
        (f"{OWN}::test_whose_words_lose_to_others_by_their_name_is_shown_those",),
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
    Fault(
        "a name of one's own that is sent again takes away what others said by it",
        "server/admission.py",
        'self._enter(child, merge.retold(said, body, schemas.rules(body["type"])), told)\n',
        "self._enter(child, None, told)\n",
        (OWN,),
    ),
    Fault(
        "what was put in somebody's mouth stands as long as what that person said",
        "sync/merge.py",
        "if (it := stamp(body, name)) and it == stamp(said, name)}\n",
        "if (it := stamp(body, name)) and not it}\n",
        (NAMES,),
    ),
    Fault(
        "what staff merged is parted by a name that is sent again",
        "server/admission.py",
        "        if parts_merged(orjson.loads(edit.body), told, self._asking.grant.role):\n",
        "        if not self._known.said(edit) and parts_merged(\n"
        "            orjson.loads(edit.body), told, self._asking.grant.role\n"
        "        ):\n",
        (OWN,),
    ),
    Fault(
        "of two bodies by one name in one request both are received",
        "server/intake.py",
        "if one and alike.same(one.body, edit.body) else None\n",
        "if one else None\n",
        (OWN,),
    ),
    Fault(
        "what came by a name that is nowhere is asked for again and again",
        "sync/http/exchange.py",
        "if part.came.get(one, one[1]) in trees.get(one[0], {})]\n",
        "if one[1] in trees.get(one[0], {})]\n",
        (OWN,),
    ),
    Fault(
        "what was received once needs no room though its hamlet is lost",
        "server/batches.py",
        " if held.there else {}\n",
        "\n",
        (OWN,),
    ),
    Fault(
        "two that wait in two hamlets and belong in one enter together",
        "server/release.py",
        "        if entry.edit.id in seen:\n",
        "        if (entry.db, entry.edit.id) in seen:\n",
        (OWN,),
    ),
    Fault(
        "a colleague's photograph is shown under another item",
        "server/admission.py",
        "as_taken(photos_as_held(doc, known), known)\n",
        "as_taken(doc, known)\n",
        ("tests/server/http/test_hostile.py",),
    ),
)
