"""Faults of the rules on photographs, and on who may put what where."""

from tests.mutation.faults import EXCHANGE, INTAKE, MEDIA, RULES, Fault

REVIEWS = "tests/server/test_rules_of_reviews.py"
RECOVERY = "tests/server/http/test_recovery_ended.py"
HOUSEHOLDS, LATE, AGAIN, ONE_HOME = (
    f"tests/server/moves/test_{name}.py"
    for name in ("households", "late_phones", "standing_again", "one_home")
)
WRITTEN = f"{REVIEWS}::test_a_document_enters_or_is_told_why_not"
PLAIN = f"{MEDIA}::test_what_is_no_plain_picture_is_refused_and_leaves_nothing"

PHOTOGRAPHS = (
    Fault(
        "a photograph is whoever's says so last",
        "server/rules.py",
        '    others = any(body["by"] != doc["by"] for body in held)\n',
        "    others = False\n",
        (WRITTEN,),
    ),
    Fault(
        "what a photograph says of its bytes is altered",
        "server/rules.py",
        "    altered = any(body[name] != doc[name] for body in held for name in facts)\n",
        "    altered = False\n",
        (f"{MEDIA}::test_what_a_photo_says_of_its_bytes_stays",),
    ),
    Fault(
        "staff may not say where a photograph belongs",
        "server/rules.py",
        'return _no("photo_of_other") if (others or altered) and not asked.grant.role.staff else None',
        'return _no("photo_of_other") if others or altered else None',
        (WRITTEN,),
    ),
    Fault(
        "an inspection has photographs that nobody asked for",
        "server/rules.py",
        '    wrong = check.problems(checklist, check.answered(answers["values"], doc["photos"]))\n',
        '    wrong = check.problems(checklist, answers["values"])\n',
        (WRITTEN,),
    ),
    Fault(
        "what takes a photograph back may name one that is not there",
        "server/content.py",
        ' or any(photo.get("removes", photo["id"]) not in added for photo in photos):\n',
        ":\n",
        ("tests/test_vectors.py",),
    ),
    Fault(
        "a photograph twice in one inspection",
        "server/content.py",
        "    if not _in_order(photos) or any(",
        "    if any(",
        ("tests/test_vectors.py",),
    ),
    Fault(
        "a picture may be seen from any hamlet",
        "server/media.py",
        "    if not holds(grant, db) and await where.standing(grant, db) is not Standing.HOLDS:\n",
        "    if False:\n",
        (f"{MEDIA}::test_only_those_who_walk_the_hamlet_may_send_or_see_its_photos",),
    ),
    Fault(
        "a picture needs no document",
        "server/media.py",
        "    if not bodies or schemas.newer(bodies[0]):\n",
        "    if bodies and schemas.newer(bodies[0]):\n",
        (f"{MEDIA}::test_a_photo_needs_its_document_and_addresses_are_names_not_paths",),
    ),
    Fault(
        "whoever was revoked brings the bytes of anybody's photograph",
        "server/media.py",
        '    _known([one for one in bodies if device in {None, device_of(one["stamps"][ALL])}])\n',
        "    _known(bodies)\n",
        (f"{MEDIA}::test_a_photo_that_had_entered_gets_its_bytes_from_its_phone_alone",),
    ),
    Fault(
        "what one phone has handed in opens the way for another's bytes",
        "server/quarantine.py",
        "        asked = asked.where(_quarantine.c.device == device)\n",
        "        pass\n",
        (f"{MEDIA}::test_a_revoked_phone_brings_the_bytes_of_what_it_handed_in_and_of_nothing_else",),
    ),
    Fault(
        "a picture that was erased while it came stays",
        "server/media.py",
        "            await _still_wanted(request, place)\n",
        "",
        (MEDIA,),
    ),
    Fault(
        "the bytes of a photograph that was sent away stay",
        "server/release.py",
        "            await self._forget_bytes(entry.db, entry.edit.id)\n",
        "            pass\n",
        (f"{MEDIA}::test_a_revoked_phone_brings_the_bytes_of_what_it_handed_in_and_of_nothing_else",),
    ),
    Fault(
        "a JPEG tells where it was taken",
        "server/pictures.py",
        '        if marker == _ICC and content.startswith(b"ICC_PROFILE\\0"):\n            continue\n'
        "        raise TellsMore\n",
        "        continue\n",
        (PLAIN,),
    ),
    Fault(
        "a WebP tells where it was taken",
        "server/pictures.py",
        "        if kind in _TELLING:\n            raise TellsMore\n",
        "        if kind in _TELLING:\n            pass\n        elif kind not in _STILL:\n"
        "            raise NotAPicture\n        at += 8 + length + length % 2\n        continue\n",
        (PLAIN,),
    ),
    Fault(
        "something lies behind a JPEG",
        "server/pictures.py",
        "    if at + 2 != len(data):\n        raise TellsMore\n",
        "",
        (PLAIN,),
    ),
    Fault(
        "what a phone has is here if its name is",
        "sync/http/exchange.py",
        "        await self._tell_unlike(caller, db, part, [*held])\n",
        "",
        (RECOVERY, EXCHANGE),
    ),
    Fault(
        "what waits was received if its name is here",
        "sync/http/exchange.py",
        "[one for one in here if one not in part.came])\n",
        "[])\n",
        (RECOVERY, EXCHANGE),
    ),
    Fault(
        "a phone says by names alone what it has",
        "pwa/src/data/gather.ts",
        "  return [id, rev, hex(new Uint8Array(says, 0, 8))];\n",
        "  return says ? [id, rev] : [id, hex(new Uint8Array())];\n",
        ("pwa/tests/exchange.test.ts",),
    ),
    Fault(
        "what is missing by plain CouchDB is what has no name there",
        "pwa/src/data/plain.ts",
        "missing.add(one);\n",
        "void one;\n",
        ("pwa/tests/plain.test.ts",),
    ),
    Fault(
        "whoever finds a name taken takes the place of what is there",
        "server/admission.py",
        '            if orjson.loads(said).get("by") != orjson.loads(raw)["by"]:\n',
        "            if not said:\n",
        (RECOVERY,),
    ),
    Fault(
        "what others gave back of a taken name waits once its author has sent it",
        "server/batches.py",
        "    revs |= {(edit.id, quarantine.apart_as(edit.rev, edit.body)) for edit in named}\n",
        "",
        (RECOVERY,),
    ),
    Fault(
        "a picture that waited enters without its bytes",
        "server/release.py",
        '                await to_thread.run_sync(self._blobs.copy, shown, db.partition("-")[2])\n',
        "                pass\n",
        (f"{AGAIN}::test_a_picture_that_waited_enters_with_its_bytes_where_its_hamlet_is",),
    ),
)

PLACES = (
    Fault(
        "anything may lie in any database",
        "server/rules.py",
        '    if asked.db.partition("-")[0] != _home(kind):\n',
        "    if False:\n",
        (RULES, WRITTEN),
    ),
    Fault(
        "a reviewer makes up the commune",
        "server/rules.py",
        "    if kind in ADMIN_TYPES and role is not Role.ADMIN:\n",
        "    if kind in ADMIN_TYPES and not role.staff:\n",
        (RULES,),
    ),
    Fault(
        "a volunteer reviews",
        "server/rules.py",
        "    if kind in STAFF_TYPES and not role.staff:\n",
        "    if False:\n",
        (WRITTEN,),
    ),
    Fault(
        "an observer writes",
        "server/rules.py",
        '    if not (role.walks or role.staff):\n        return _no("reads_only")\n',
        "",
        (RULES,),
    ),
    Fault(
        "a volunteer merges households",
        "server/rules.py",
        '    return None if held else _no("merge_by_staff")\n',
        "    return None\n",
        (RULES,),
    ),
    Fault(
        "a volunteer confirms a withdrawal",
        "server/rules.py",
        '    if act["kind"] == "withdrawn" and not asked.grant.role.staff:\n',
        "    if False:\n",
        (RULES,),
    ),
    Fault(
        "a volunteer takes back what another one recorded",
        "server/rules.py",
        'asked.grant.role.staff and authors[act["target"]] != act["by"]:\n',
        "asked.grant.role.staff and False:\n",
        (RULES,),
    ),
    Fault(
        "a version that people have signed is altered",
        "server/rules.py",
        "        if any(body.get(name) != doc.get(name) for name in fields if name not in settles):\n",
        "        if False:\n",
        (WRITTEN,),
    ),
    Fault(
        "a phone writes into a hamlet that is not its own",
        "server/admission.py",
        "        if not holds(self._asking.grant, self._db) and self._late is None:\n",
        "        if False:\n",
        (f"{INTAKE}::test_another_hamlets_document_and_a_forged_author_are_forbidden", LATE),
    ),
    Fault(
        "what somebody writes into a hamlet that was theirs enters by itself",
        "server/intake.py",
        '        late: quarantine.Why | None = "unassigned" if standing is Standing.LATE else None\n',
        "        late: quarantine.Why | None = None\n",
        (f"{LATE}::test_somebody_who_lost_a_hamlet_hands_in_and_the_office_decides",),
    ),
    Fault(
        "who knows an id gives a household a second home",
        "server/intake.py",
        "        planted = await self.where.homes(db, {edit.id for edit in named} - places.keys())\n",
        "        planted: dict[str, str] = {}\n",
        (f"{LATE}::test_who_knows_an_id_gives_no_household_a_second_home",),
    ),
    Fault(
        "what is of a household elsewhere enters where it was sent",
        "server/intake.py",
        '        late = "moved" if standing is not Standing.NONE else None\n'
        "        told |= await self._judged(Batch(asking, db, late=late), away)\n",
        "        told |= await self._judged(Batch(asking, db, late=late), away)\n",
        (f"{LATE}::test_who_knows_an_id_gives_no_household_a_second_home",),
    ),
    Fault(
        "through a hamlet that something has left others are written over",
        "server/whereabouts.py",
        "        return new | {one for one in of if not of[one].isdisjoint(here)}\n",
        "        return {*of}\n",
        (f"{LATE}::test_who_knows_an_id_writes_nothing_there_by_way_of_what_moved_there",),
    ),
    Fault(
        "a picture is put into whatever hamlet has its inspection",
        "server/whereabouts.py",
        "                if row.db == here or went.keys() & anchors[row]:\n",
        "                if row.db:\n",
        (f"{HOUSEHOLDS}::test_a_picture_follows_no_inspection_that_has_not_left_its_hamlet",),
    ),
    Fault(
        "what is let in enters where it was sent, whatever moved since",
        "server/release.py",
        "            places |= await self._intake.where.homes(db, bodies.keys() - places.keys())\n",
        "",
        (f"{LATE}::test_who_knows_an_id_gives_no_household_a_second_home", AGAIN),
    ),
    Fault(
        "what enters elsewhere leaves no trace where it was sent",
        "server/traces.py",
        "        traces = [moving.trace(edit, place) for edit in new.values() if edit.id not in known]\n",
        "        traces: list[Edit] = []\n",
        (AGAIN,),
    ),
    Fault(
        "an act is lost to another by its id where two pledges become one",
        "server/carrying.py",
        "    beside = [aside.beside(body, held) for body in brought]\n",
        "    beside = brought\n",
        ("tests/server/test_carrying.py",),
    ),
    Fault(
        "what was written upon a lost revision hides what that had said",
        "server/admission.py",
        "        if not live or not adds(orjson.loads(raw), live, ancestor):\n",
        "        if True:\n",
        ("tests/server/test_superseding.py",),
    ),
    Fault(
        "what is let in below others is hidden by them",
        "server/release.py",
        "    if rev in tree and live and superseding.adds(new, live, parent):\n",
        "    if False:\n",
        ("tests/server/test_superseding.py",),
    ),
    Fault(
        "what lives in two hamlets stays in both",
        "server/mover.py",
        "            ways |= await self._one_home(db)\n",
        "",
        (ONE_HOME,),
    ),
    Fault(
        "what is let in leaves no trace where its household has left one",
        "server/intake.py",
        "        traces = await self._traces.beside(place, edits)\n",
        "        traces: dict[str, list[Edit]] = {}\n",
        (LATE,),
    ),
    Fault(
        "what is given back of a pledge enters before the parting of its household",
        "server/release.py",
        'sorted(entries, key=lambda one: not one.edit.id.startswith("household:"))',
        "entries",
        ("tests/server/test_carrying.py",),
    ),
)
