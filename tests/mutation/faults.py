"""The faults, as data: what is broken, where, and which tests must see it.

`old` stands exactly once in `file` (`test_faults.py` holds that). Tests are pytest's, or files of `pwa/tests`
for faults of the phone. Each is a mistake that somebody could make, not a random change; most are those that
the design forbids by name. A list is read as a whole: one file.
"""

from typing import NamedTuple


class Fault(NamedTuple):
    """One mistake. `tests` are few, so that it is found out within seconds."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


LAWS, POLICY = "tests/sync/test_merge_laws.py", "tests/sync/test_merge_policy.py"
RESOLVE, EXCHANGE = "tests/sync/test_resolve.py", "tests/sync/test_exchange.py"
TREES, SEASON = "tests/sync/test_revtree.py", "tests/sync/test_servers_and_phones.py"
INTAKE, FOLLOWER = "tests/server/test_intake.py", "tests/server/test_follower.py"
STROKES = "tests/server/test_strokes.py"
RELEASE, ERASING = "tests/server/test_release.py", "tests/server/test_erasing.py"
BACKUP, MOVING = (f"tests/server/test_{name}.py" for name in ("backup", "moving"))
MERGES, MOVES = (f"tests/server/moves/test_{name}.py" for name in ("merges", "households"))
RULES, MEDIA = "tests/server/test_rules.py", "tests/server/http/test_media.py"
SQLITE, SEALED = "tests/store/test_sqlite.py", "tests/server/http/test_sealed.py"
SEVERAL, SUPERSEDING = "tests/server/http/test_several.py", "tests/server/test_superseding.py"

MERGE_RULES = (
    Fault(
        "set loses an element",
        "sync/merge.py",
        "    _unite(into.sets.setdefault(name, {}), other.sets.get(name, {}))\n",
        "    into.sets.setdefault(name, {})\n",
        (POLICY, LAWS),
    ),
    Fault(
        "latest takes the older",
        "sync/merge.py",
        "    if len(values) == 1 or order(values[0].stamp) > order(values[1].stamp):\n"
        "        return values[0]\n    if order(values[0].stamp) < order(values[1].stamp):\n",
        "    if len(values) == 1 or order(values[0].stamp) < order(values[1].stamp):\n"
        "        return values[0]\n    if order(values[0].stamp) > order(values[1].stamp):\n",
        (POLICY,),
    ),
    Fault(
        "a volunteer joins what staff have parted, by the merge of before",
        "server/rules.py",
        '    held = any((_status_stamp(body), body["status"]) == said for body in _readable(known))\n',
        '    held = any(body["status"] == doc["status"] for body in _readable(known))\n',
        (RULES,),
    ),
    Fault(
        "a stamp that no clock can have told closes a field",
        "sync/stamps.py",
        '    return stamp if stamp < END else f"!{stamp}"\n',
        "    return stamp\n",
        ("tests/server/test_ceiling.py",),
    ),
    Fault(
        "a wrong clock lets the last of all stamps in",
        "sync/stamps.py",
        "    wall = LATEST if now is None else min(now + SKEW, LATEST)\n",
        "    wall = 10**13 if now is None else now + SKEW\n",
        ("tests/server/test_ceiling.py",),
    ),
    Fault(
        "a tie is broken by the order of arrival",
        "sync/merge.py",
        "    return max(values, key=lambda value: value.rank)\n",
        "    return values[0]\n",
        (POLICY, LAWS),
    ),
    Fault(
        "ask drops a value",
        "sync/merge.py",
        "        ask.others.update((value.rank, value) for value in values)\n",
        "        pass\n",
        (POLICY,),
    ),
    Fault(
        "a settling write forgets what it had seen",
        "sync/merge.py",
        "    after.see(value.stamp for value in before.others.values())\n",
        "",
        (POLICY, LAWS),
    ),
    Fault(
        "the author does not go with the latest stamp",
        "sync/merge.py",
        "    into.by = max(\n        Value(into.greatest, into.by), Value(other.greatest, other.by), "
        "key=lambda value: value.rank\n    ).value\n",
        "",
        (POLICY, LAWS),
    ),
    Fault(
        "a clearing does not stick",
        "sync/stamps.py",
        "if not present or stamp != greatest}",
        "if present and stamp != greatest}",
        (POLICY, "tests/sync/test_stamps.py"),
    ),
)

SETTLING = (
    Fault(
        "a time is minted in a merge",
        "sync/resolve.py",
        "    joined = canonical.encode(join(held, rules))\n    tombstones",
        "    at = __import__('time').time_ns() % 2**53\n"
        "    joined = canonical.encode(join(held, rules) | {'merged_at': at})\n    tombstones",
        (RESOLVE,),
    ),
    Fault(
        "a tombstone is skipped",
        "sync/resolve.py",
        "for rev in group[1:]]\n    if joined",
        "for rev in group[2:]]\n    if joined",
        (RESOLVE,),
    ),
    Fault(
        "the tombstone comes before the merge",
        "sync/resolve.py",
        "    return [child(tree, group[0], joined, deleted=False), *tombstones]\n",
        "    return [*tombstones, child(tree, group[0], joined, deleted=False)]\n",
        (RESOLVE,),
    ),
    Fault(
        "a tombstone comes by a name that somebody has taken",
        "sync/resolve.py",
        "    rev = next(one for one in names if one not in tree or (deleted and tree[one].parent is None))\n",
        "    rev = next(names)\n",
        ("tests/sync/test_taken.py", "tests/server/http/test_taken_tombstones.py"),
    ),
    Fault(
        "a leaf that comes again is ended by one more tombstone each time",
        "sync/resolve.py",
        " or (deleted and tree[one].parent is None))\n",
        ")\n",
        ("tests/sync/test_taken.py::test_a_leaf_that_comes_again_takes_its_own_tombstone_back",),
    ),
    Fault(
        "the name of a merge is given to somebody else's revision that lost its line",
        "sync/resolve.py",
        " or (deleted and tree[one].parent is None))\n",
        " or tree[one].parent is None)\n",
        ("tests/sync/test_taken.py::test_no_words_are_lost_where_the_name_of_a_merge_is_taken",),
    ),
    Fault(
        "a winner whose words were erased comes to phones without them",
        "sync/http/exchange.py",
        "    gone = tree[winner].deleted or (body is None and bool(taken.chosen(doc_id, tree)))\n",
        "    gone = tree[winner].deleted\n",
        (
            "tests/server/http/test_taken_tombstones.py::test_a_winner_whose_words_are_gone_goes_out_as_deleted",
        ),
    ),
    Fault(
        "what cannot move is tried for ever",
        "server/mover.py",
        "            batch.grew = {db for db, grew in grafted.items() if any(grew)}\n",
        "            batch.grew = {*grafted}\n",
        (
            "tests/server/http/test_taken_tombstones.py"
            "::test_a_pass_that_writes_nothing_ends_and_names_what_stays",
        ),
    ),
    Fault(
        "a deletion beats an edit",
        "sync/revtree.py",
        "key=lambda rev: (not tree[rev].deleted, rev), reverse=True)",
        "key=lambda rev: rev, reverse=True)",
        (TREES, RESOLVE),
    ),
    Fault(
        "nobody is told of a deletion that an edit outlived",
        "sync/resolve.py",
        "    outlived = _deletions(tree, bodies) if live else ()\n",
        "    outlived = ()\n",
        (RESOLVE, f"{FOLLOWER}::test_an_edit_outlives_a_deletion_and_staff_are_told"),
    ),
    Fault(
        "a form opened before a sync undoes what came meanwhile",
        "sync/resolve.py",
        "    return Derived((derive(sent.path[0], False, joined), *sent.path), joined, False)\n",
        "    return None\n",
        (RESOLVE, f"{INTAKE}::test_a_form_opened_before_a_sync_undoes_nothing"),
    ),
    Fault(
        "a newer version is merged with what is known",
        "sync/resolve.py",
        "    if (name, v) not in policy:\n        return Why.UNKNOWN\n",
        "    if (name, v) not in policy:\n        v = 1\n",
        (RESOLVE,),
    ),
    Fault(
        "an invalid leaf is merged",
        "server/settle.py",
        'return doc if deleted or broken({"_id": doc_id, **doc}) is None else None',
        "return doc",
        (f"{FOLLOWER}::test_an_invalid_leaf_is_neither_merged_nor_shown_and_staff_are_told",),
    ),
    Fault(
        "a long history is cut from the winner alone",
        "sync/revtree.py",
        "    for leaf in leaves(tree):\n        kept.update(ancestry(tree, leaf)[:limit])\n",
        "    for leaf in leaves(tree)[:1]:\n        kept.update(ancestry(tree, leaf)[:limit])\n",
        (TREES,),
    ),
)

DURABLE = (
    Fault(
        "a write is acknowledged before its commit",
        "sync/store/writer.py",
        '        tx.flush()\n        conn.execute("COMMIT")\n',
        "        tx.flush()\n        self._loop.call_soon_threadsafe(self._deliver, jobs, {}, set())\n"
        '        conn.execute("COMMIT")\n',
        (f"{SQLITE}::test_what_could_not_be_committed_is_not_acknowledged",),
    ),
    Fault(
        "the disk need not have it",
        "sync/store/sqlite.py",
        'conn.execute("PRAGMA synchronous = FULL")',
        'conn.execute("PRAGMA synchronous = NORMAL")',
        (f"{SQLITE}::test_a_commit_waits_for_the_disk_itself",),
    ),
    Fault(
        "the disk need not have the rows",
        "server/rows/engine.py",
        '"synchronous=FULL",',
        '"synchronous=NORMAL",',
        (f"{SQLITE}::test_a_commit_waits_for_the_disk_itself",),
    ),
    Fault(
        "a phone is answered before its records are stored",
        "sync/http/exchange.py",
        "            await self._store.graft_all(grafts)\n",
        "            __import__('asyncio').create_task(self._store.graft_all(grafts))\n",
        (EXCHANGE,),
    ),
    Fault(
        "each database of a request is stored by itself",
        "sync/http/exchange.py",
        "            await self._store.graft_all(grafts)\n",
        "            for db, edits in grafts.items():\n                await self._store.graft(db, edits)\n",
        (EXCHANGE,),
    ),
    Fault(
        "the history is skipped before a record enters",
        "server/intake.py",
        "            stamp = archive.keep(connection, entries, instant",
        "            stamp = archive.keep(connection, (), instant",
        (f"{INTAKE}::test_what_is_accepted_is_archived_word_for_word",),
    ),
    Fault(
        "a merge is not in the history",
        "server/settle.py",
        "            await to_thread.run_sync(self._archive, merged)\n",
        "",
        (f"{INTAKE}::test_two_phones_that_collide_get_one_result_and_the_history_shows_both",),
    ),
    Fault(
        "replication forgets its checkpoint",
        "sync/replicate.py",
        "        for place, peer in enumerate((source, target)):\n",
        "        for place, peer in enumerate((source,)):\n",
        ("tests/engine/test_replicate.py::test_a_second_run_goes_on_from_the_checkpoint_and_both_ways_meet",),
    ),
    Fault(
        "replication drops what a bulk read did not give",
        "sync/replicate.py",
        "        if (doc_id, rev) not in given:\n",
        "        if False:\n",
        ("tests/engine/test_replicate.py::test_what_a_bulk_read_does_not_give_is_asked_for_by_itself",),
    ),
    Fault(
        "a position is forgotten where nothing is to be seen",
        "sync/exchange.py",
        "            self._size += len(item) + 1\n        self._position = position\n",
        "            self._size += len(item) + 1\n            self._position = position\n",
        (f"{EXCHANGE}::test_signatures_move_the_position_but_never_go_down",),
    ),
    Fault(
        "the follower forgets where it was",
        "server/follower.py",
        ".values(seq=_text(after))).rowcount == 1",
        ".values(seq=_text(since))).rowcount == 1",
        (f"{FOLLOWER}::test_nothing_is_projected_twice_and_a_restart_goes_on",),
    ),
    Fault(
        "two followers both write",
        "server/follower.py",
        'here = (_cursor.c.follower == "rows", _cursor.c.db == db, _cursor.c.seq == _text(since))\n',
        'here = (_cursor.c.follower == "rows", _cursor.c.db == db)\n',
        (f"{FOLLOWER}::test_a_follower_that_was_overtaken_writes_nothing",),
    ),
    Fault(
        "rows of one hamlet go with those of another",
        "server/follower.py",
        "delete(projected).where(projected.c.db == db, named.in_(some))",
        "delete(projected).where(named.in_(some))",
        (f"{MERGES}::test_a_merge_takes_everything_along_with_the_people_and_says_so",),
    ),
)

OUTCOMES = (
    Fault(
        "what waits is answered by its name alone",
        "sync/store/names.py",
        "    return {*bare} - {*await accepted(bare)} if bare else set()\n",
        "    return set()\n",
        (EXCHANGE, "tests/server/http/test_replication.py"),
    ),
    Fault(
        "an outcome names another revision",
        "sync/exchange.py",
        "    said = [outcome.id, str(outcome.rev), outcome.status]\n",
        "    said = [outcome.id, '', outcome.status]\n",
        (EXCHANGE,),
    ),
    Fault(
        "what is held for a person is said to be received",
        "server/admission.py",
        '            return refused(edit.id, sent_as or edit.rev, "quarantined", words.say',
        '            return refused(edit.id, sent_as or edit.rev, "received", words.say',
        (f"{INTAKE}::test_what_a_revoked_phone_hands_in_waits_for_a_person",),
    ),
    Fault(
        "a position of before a restore is believed",
        "sync/http/exchange.py",
        '        return f"{epoch}{life}" != since.life or not await self._known(db, since, life)\n',
        "        return not await self._known(db, since, life)\n",
        (f"{BACKUP}::test_a_position_from_before_a_restore_is_lost",),
    ),
    Fault(
        "positions are not checked at all",
        "sync/http/exchange.py",
        '        return f"{epoch}{life}" != since.life or not await self._known(db, since, life)\n',
        "        return False\n",
        (EXCHANGE,),
    ),
    Fault(
        "what comes with a lost position is judged at once",
        "sync/http/exchange.py",
        "            part.asked = replace(part.asked, edits=())\n",
        "            pass\n",
        (EXCHANGE,),
    ),
    Fault(
        "a photo is said to be there before it is one",
        "server/media.py",
        "held - await to_thread.run_sync(place.blobs.all_came, place.name, place.sender)",
        "held",
        ("tests/server/http/test_media.py",),
    ),
    Fault(
        "a position is believed that a copy of the files never gave",
        "sync/http/exchange.py",
        "        if not await self._store.gave(db, position.seq, life):\n",
        "        if False:\n",
        (EXCHANGE,),
    ),
    Fault(
        "the phone's clock is trusted",
        "sync/http/exchange.py",
        "    return skew if terms.trusted and abs(skew) > SKEW else 0\n",
        "    return 0\n",
        (EXCHANGE,),
    ),
    Fault(
        "a stamp from the future enters",
        "server/rules.py",
        "        if not asked.held and Stamp.parse(stamp).ms > latest:\n",
        "        if Stamp.parse(stamp).ms < 0:\n",
        (RULES,),
    ),
    Fault(
        "a server with a dead battery judges others' clocks",
        "server/intake.py",
        "        sane = floor.is_sane(now, self._latest)\n",
        "        sane = True\n",
        (f"{INTAKE}::test_a_server_with_a_dead_battery_refuses_nothing_for_time",),
    ),
    Fault(
        "a bad document under a seal spoils the others",
        "server/bundle.py",
        "    except Spoiled as spoiled:\n        return spoiled\n",
        "    except Spoiled:\n        raise\n",
        (f"{SEVERAL}::test_what_is_bad_among_them_stops_no_other",),
    ),
    Fault(
        "a revoked phone waits for a hamlet that a restore has lost",
        "server/sealed.py",
        "        elif not record.grant.live:\n            return True\n",
        "",
        (SEALED,),
    ),
    Fault(
        "the time of a sealed record is believed",
        "server/sealed.py",
        "    if clock > now + SKEW:\n        return now - clock\n"
        "    return joined - clock if clock < joined - SKEW else 0\n",
        "    return 0\n",
        (f"{SEALED}::test_a_record_whose_clock_cannot_have_been_right_is_held",),
    ),
)

AUTHORITY = (
    Fault(
        "whoever may write in a hamlet may write as anybody",
        "server/rules.py",
        '    if doc["by"] != asked.grant.user:\n',
        "    if False:\n",
        (RULES, f"{INTAKE}::test_another_hamlets_document_and_a_forged_author_are_forbidden"),
    ),
    Fault(
        "an act may bear another's name",
        "server/rules.py",
        '    if act["by"] != asked.grant.user:\n',
        "    if False:\n",
        (RULES,),
    ),
    Fault(
        "an act that is held may be altered",
        "server/rules.py",
        '        elif act != held[act["id"]]:\n',
        "        elif False:\n",
        (RULES,),
    ),
    Fault(
        "a stamp of somebody else's bears another value",
        "server/rules.py",
        "    if forged:\n",
        "    if False:\n",
        (RULES,),
    ),
    Fault(
        "a stamp that is held bears another value",
        "server/rules.py",
        '    return _no("stamp_altered") if any(',
        '    return None and _no("stamp_altered") if any(',
        (f"{INTAKE}::test_what_says_otherwise_under_a_stamp_that_is_held_waits",),
    ),
    Fault(
        "by the name of a revision another one is received unheard",
        "server/admission.py",
        "            return Admitted(edit, ()) if alike.same(said, edit.body) else None\n",
        "            return Admitted(edit, ())\n",
        (f"{INTAKE}::test_what_the_author_says_is_heard_whatever_was_let_in_by_its_name",),
    ),
    Fault(
        "an act takes the place of another's in another pledge",
        "server/rules.py",
        '    if asked.authors.get(act["id"], act["by"]) != act["by"]:\n',
        "    if False:\n",
        (
            "tests/server/test_carrying.py"
            "::test_nobody_puts_an_act_of_theirs_in_the_place_of_anothers_by_the_old_id",
        ),
    ),
    Fault(
        "a revision may be as far above the others as it likes",
        "server/admission.py",
        "        found = bounds.too_far(edit.path, self._known.tree(edit.id))\n",
        "        found = None\n",
        ("tests/server/test_bounds.py",),
    ),
    Fault(
        "what a batch adds to one document is not added up",
        "server/admission.py",
        "                self._before[edit.id] = joined\n",
        "                pass\n",
        ("tests/server/test_bounds.py",),
    ),
    Fault(
        "what was parted is merged once more without its signatures",
        "server/carrying.py",
        "            lost = undone(bodies.get(old_id, {}), bodies.get(new_id, {}))\n",
        "            lost: tuple[list[Act], list[Act]] = ([], [])\n",
        (
            "tests/server/office/test_duplicates.py"
            "::test_what_is_merged_parted_and_merged_again_is_signed_as_before",
        ),
    ),
    Fault(
        "what belongs to one household of a lost hamlet is taken into two",
        "server/release.py",
        "            home = homes.get(entry.number, into)\n",
        "            home = into\n",
        (
            "tests/server/office/test_quarantine.py"
            "::test_what_belongs_to_one_household_of_a_lost_hamlet_is_taken_into_one_hamlet",
        ),
    ),
    Fault(
        "an invitation is spent by what was sealed before it was opened",
        "server/sealed.py",
        "not devices.goes_on(rows, device) for",
        "True for",
        (
            "tests/server/http/test_sealed.py"
            "::test_an_invitation_is_not_spent_by_what_a_phone_had_sealed_before_it_was_opened_again",
        ),
    ),
    Fault(
        "what an earlier parting has voided is voided by another one too",
        "server/carrying.py",
        'act["id"] not in ids and not of_parting(act)',
        'act["id"] not in ids',
        (
            "tests/server/office/test_duplicates.py"
            "::test_of_what_is_let_in_one_by_one_each_act_ends_where_it_was_made",
        ),
    ),
    Fault(
        "a late status parts what staff have merged",
        "server/admission.py",
        "        if parts_merged(orjson.loads(edit.body), told, self._asking.grant.role):\n",
        "        if False:\n",
        ("tests/server/test_carrying.py::test_a_late_status_does_not_part_what_staff_have_merged",),
    ),
    Fault(
        "a pledge that was sent back is not where its household is merged",
        "server/carrying.py",
        "(carried.into, carried.review) if edit]",
        "(carried.into,) if edit]",
        ("tests/server/office/test_sent_back.py",),
    ),
    Fault(
        "what moves is left out where its name is taken",
        "server/mover.py",
        "moving.plan(doc_id, whole, new.get(doc_id), target, taken)",
        "moving.plan(doc_id, whole, new.get(doc_id), target)",
        (f"{MOVES}::test_what_somebody_put_under_its_name_in_the_new_place_takes_nothing_from_it",),
    ),
    Fault(
        "another hamlet's database is open",
        "server/intake.py",
        "        if db is None or holds(asking.grant, db):\n            return\n",
        "        if db is None or holds(asking.grant, db) or action is Action.READ:\n            return\n",
        (f"{INTAKE}::test_another_hamlet_is_forbidden_in_the_readers_language",),
    ),
    Fault(
        "a phone deletes",
        "server/admission.py",
        "        elif edit.deleted:\n",
        "        elif False:\n",
        (f"{INTAKE}::test_phones_delete_nothing",),
    ),
    Fault(
        "what a phone gives back of others enters at once",
        "server/admission.py",
        '            return self._held(edit, "stranger" if self._asking.stranger else "recovered")\n',
        "            return None\n",
        (f"{INTAKE}::test_a_phone_gives_back_other_peoples_work_and_it_waits_for_its_author",),
    ),
    Fault(
        "a phone that may only send reads",
        "server/auth/bearer.py",
        "        if grant.send_only:\n",
        "        if False:\n",
        ("tests/server/http/test_path.py::test_a_send_only_credential_reads_nothing",),
    ),
    Fault(
        "strokes go down to phones",
        "server/intake.py",
        "        return not doc_id.startswith(STORED_ONLY)\n",
        "        return True\n",
        (f"{INTAKE}::test_signatures_are_never_shown_to_a_phone",),
    ),
)

FOR_GOOD = (
    Fault(
        "a restore forgets the ledger beside the data that it replaces",
        "server/backup.py",
        "    files = [beside, backups / outlasting.NAME]\n",
        "    files = [backups / outlasting.NAME]\n",
        (f"{BACKUP}::test_rows_that_are_damaged_bring_back_nothing_that_was_erased_or_revoked",),
    ),
    Fault(
        "a restore forgets the ledger beside the backups",
        "server/backup.py",
        "    files = [beside, backups / outlasting.NAME]\n",
        "    files = [beside]\n",
        (f"{BACKUP}::test_what_was_erased_or_revoked_since_stays_so",),
    ),
    Fault(
        "a restore that was cut off forgets the ledger of what it had set aside",
        "server/backup.py",
        '    there = [data / ROWS, *sorted(data.glob(f"before-*/{ROWS}"))]\n',
        "    there = [data / ROWS]\n",
        (f"{BACKUP}::test_a_restore_that_was_killed_anywhere_and_is_run_again_comes_right",),
    ),
    Fault(
        "what is erased is not in the file beside the data",
        "server/ledger.py",
        "    outlasting.add(_file(connection), rows)\n",
        "",
        (f"{BACKUP}::test_rows_that_are_damaged_bring_back_nothing_that_was_erased_or_revoked",),
    ),
    Fault(
        "a restore brings back what the ledger names",
        "server/backup.py",
        "    forget_ledgered(connection)\n",
        "",
        (f"{BACKUP}::test_what_was_erased_or_revoked_since_stays_so",),
    ),
    Fault(
        "sessions outlive a restore",
        "server/backup.py",
        "    connection.execute(delete(_sessions))\n",
        "",
        (f"{BACKUP}::test_nobody_gets_in_by_what_a_backup_knows",),
    ),
    Fault(
        "what was erased enters again",
        "server/admission.py",
        "        if edit.id in self._known.erased:\n",
        "        if False:\n",
        (f"{INTAKE}::test_an_erased_document_is_answered_erased_for_good", ERASING),
    ),
    Fault(
        "what was erased on its way in stays",
        "server/follower.py",
        "            await self._bury(db, ids)\n",
        "",
        (f"{ERASING}::test_what_was_on_its_way_in_meanwhile_is_erased_by_the_follower",),
    ),
    Fault(
        "an erased body stays in the store",
        "server/erasing.py",
        "                await self._store.forget_bodies(place, ids)\n",
        "",
        (f"{ERASING}::test_nothing_is_left_of_it_in_store_archive_quarantine_and_rows",),
    ),
    Fault(
        "what is left of something erased can be given to no peer",
        "sync/store/housekeeping.py",
        "            entry.held |= dict.fromkeys(ends, EMPTY_BODY)\n",
        "            del ends\n",
        (SQLITE,),
    ),
    Fault(
        "a record that was decided about is decided anew",
        "server/admission.py",
        "        before = self._known.decided.get((edit.id, edit.rev))\n",
        "        before = None\n",
        (f"{RELEASE}::test_a_discarded_record_is_told_to_the_phone_and_noted",),
    ),
    Fault(
        "a decision overwrites one that was made meanwhile",
        "server/quarantine.py",
        '    here = (_quarantine.c.number == entry.number, _quarantine.c.state == "waiting")\n',
        "    here = (_quarantine.c.number == entry.number,)\n",
        (f"{RELEASE}::test_of_two_decisions_at_once_the_first_stands",),
    ),
    Fault(
        "whoever writes over a recovered record closes it",
        "server/superseding.py",
        '            if entry.why == "recovered" or (',
        "            if (",
        (f"{RELEASE}::test_what_was_recovered_waits_for_its_place_in_the_history",),
    ),
    Fault(
        "two hamlets are merged each into the other",
        "server/whereabouts.py",
        "    while ring := _ring(into):\n",
        "    for ring in ():\n",
        (
            "tests/server/moves/test_late_phones.py::test_of_two_hamlets_merged_into_one_another_the_later_merge_stands",
        ),
    ),
    Fault(
        "a clock that nobody could measure stays wrong",
        "server/release.py",
        "    return entry._replace(skew_ms=-late) if late > SKEW else entry\n",
        "    return entry\n",
        (f"{RELEASE}::test_what_nobody_could_measure_moves_back_from_what_has_not_come",),
    ),
    Fault(
        "a copy by hand is held against its writer",
        "server/admission.py",
        "        return as_held(doc, known) if any(rev in tree for rev in edit.path) else doc\n",
        "        return doc\n",
        (INTAKE,),
    ),
    Fault(
        "somebody else's later record closes an entry that waits",
        "server/quarantine.py",
        "_quarantine.c.doc_id.in_(some), _quarantine.c.user == user)\n",
        "_quarantine.c.doc_id.in_(some))\n",
        (SUPERSEDING,),
    ),
    Fault(
        "what was closed by a later record is in no history",
        "server/superseding.py",
        "                    archive.keep(connection, entries, at, author, whole=True)\n",
        "",
        (SUPERSEDING,),
    ),
    Fault(
        "who was robbed of an act is refused",
        "server/admission.py",
        '        if key == "act_altered" or robbed:\n',
        "        if False:\n",
        ("tests/server/test_aside.py",),
    ),
    Fault(
        "an act that was let in by another id is not known again",
        "server/admission.py",
        "self._known.tree(edit.id), as_taken(photos_as_held(doc, known), known)\n",
        "self._known.tree(edit.id), doc\n",
        ("tests/server/test_aside.py",),
    ),
    Fault(
        "a correction leaves the entry open",
        "server/intake.py",
        "            superseding.close(connection, db, batch.places, entering, asking.grant.user, now=now)\n",
        "",
        (f"{RELEASE}::test_a_corrected_descendant_closes_the_entry",),
    ),
    Fault(
        "a move ends the old place before the new one has it",
        "server/mover.py",
        "            grafted = await self._store.graft_all(batch.edits())\n",
        "            await self._store.graft_all(batch.tombstones)\n"
        "            grafted = await self._store.graft_all(batch.copies)\n",
        (f"{MERGES}::test_a_move_that_a_full_disk_stops_midway_ends_nothing",),
    ),
    Fault(
        "a move leaves the history behind",
        "server/mover.py",
        "            await to_thread.run_sync(self._archive, batch, by)\n",
        "",
        (f"{MERGES}::test_the_history_of_what_moved_is_in_both_places",),
    ),
    Fault(
        "a move takes the winner alone",
        "server/moving.py",
        "        for rev in sorted(old.tree):  #",
        "        for rev in revtree.live(old.tree)[:1]:  #",
        (MOVING,),
    ),
    Fault(
        "a tombstone of a move says when",
        "server/moving.py",
        "    return canonical.encode({MARK: target})\n",
        "    return canonical.encode({MARK: target, 'at': __import__('time').time_ns() % 2**53})\n",
        (MOVING,),
    ),
    Fault(
        "a picture is acknowledged before it is checked",
        "server/blobs.py",
        "                if sha256(data).hexdigest() != name.sha256:\n",
        "                if False:\n",
        (f"{MEDIA}::test_bytes_of_another_name_are_thrown_away_and_the_right_ones_enter",),
    ),
    Fault(
        "a picture is complete before it is kept",
        "server/media.py",
        "await to_thread.run_sync(place.blobs.finish, place.name, place.sender)\n",
        "pass\n",
        (f"{MEDIA}::test_a_photo_arrives_whole_and_comes_back_as_it_was",),
    ),
    Fault(
        "a past day counts a household where it is now",
        "server/past.py",
        "            places.setdefault(one.id, one.source)\n",
        "            places[one.id] = one.target\n",
        (
            "tests/server/office/test_past.py::test_the_figures_of_a_day_stay_as_they_were_whatever_happens_later",
        ),
    ),
    Fault(
        "a database takes a departure from elsewhere for its own",
        "server/archive.py",
        "        held = held.where(or_(~_departs, _archive.c.body == arrival))\n",
        "",
        (f"{MERGES}::test_where_a_household_was_on_a_day_can_be_told_for_good",),
    ),
    Fault(
        "households are parted in two writes",
        "server/office/parting.py",
        "    await parts.scribe.write(caller, {db: changes}, {db: back.edits})\n",
        "    await parts.scribe.write(caller, {db: changes})\n    await parts.store.graft(db, back.edits)\n",
        ("tests/server/office/test_duplicates.py",),
    ),
    Fault(
        "letting a status in leaves a household's acts with another",
        "server/office/quarantine.py",
        "        for one in await warden.partings(some, offset):\n",
        "        for one in ():\n",
        ("tests/server/office/test_duplicates.py",),
    ),
    Fault(
        "who was parted is erased with the other",
        "server/erasing.py",
        "for one in named - others}",
        "for one in named}",
        ("tests/server/office/test_duplicates.py", STROKES),
    ),
    Fault(
        "a pledge that is refused is believed of strokes that its sender did not draw",
        "server/strokes.py",
        "if sent.get(doc_id(one)) == {user}}",
        "if sent.get(doc_id(one))}",
        (STROKES,),
    ),
)
