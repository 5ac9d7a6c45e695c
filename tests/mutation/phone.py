"""The faults of the phone: what is broken in its data, and which files of `pwa/tests` must see it."""

from tests.mutation.faults import Fault

DATA = "pwa/src/data"
FIELD, STORAGE, TROUBLE, CODES, SHOWING = (
    f"pwa/tests/{name}.test.ts" for name in ("field", "storage", "trouble", "codes", "showing")
)

PHONE = (
    Fault(
        "an outcome clears another revision",
        f"{DATA}/commit.ts",
        '        const own = await tx.objectStore("own").get([db, id, rev]);\n        if (is',
        '        const [own] = await tx.objectStore("own").getAll(keysOf(db, id));\n        if (is',
        (STORAGE, FIELD),
    ),
    Fault(
        "a quarantined record is counted as sent",
        f"{DATA}/commit.ts",
        '      return own.again ? "gone" : "held";\n',
        '      return "received";\n',
        (FIELD,),
    ),
    Fault(
        "a refused record is dropped",
        f"{DATA}/commit.ts",
        '    case "too_large":\n      return "refused";\n',
        '    case "too_large":\n      return "gone";\n',
        (FIELD,),
    ),
    Fault(
        "a row drops a leaf that was not sent",
        f"{DATA}/commit.ts",
        "    if (!isSettledBy(leaf, row)) continue;\n",
        "",
        (FIELD,),
    ),
    Fault(
        "a part is committed in two transactions, the position first",
        f"{DATA}/commit.ts",
        "  const page = await write(\n    session.db,\n",
        '  await write(session.db, ["databases"], async (tx) => {\n'
        '    const database = await tx.objectStore("databases").get(db);\n'
        '    if (database) await tx.objectStore("databases").put({ ...database, ...position });\n'
        "  });\n  const page = await write(\n    session.db,\n",
        (TROUBLE,),
    ),
    Fault(
        "a part forgets its position",
        f"{DATA}/commit.ts",
        "put({ ...database, ...position, plain, rewrite });\n",
        "put({ ...database, plain, rewrite });\n",
        (STORAGE,),
    ),
    Fault(
        "a position that the server lost is kept",
        f"{DATA}/commit.ts",
        "put({ ...database, position: null, since: null });\n",
        "put({ ...database, since: null });\n",
        ("pwa/tests/exchange.test.ts",),
    ),
    Fault(
        "an erased household stays on the phone",
        f"{DATA}/commit.ts",
        '        if (is === "erased") await erase(tx, db, id);\n',
        "",
        (STORAGE,),
    ),
    Fault(
        "a save is told before it is on disk",
        f"{DATA}/db.ts",
        "    await tx.done;\n    return result;\n",
        "    tx.done.catch(() => {});\n    return result;\n",
        (TROUBLE,),
    ),
    Fault(
        "a save and its sealed record are two transactions",
        f"{DATA}/save.ts",
        '      if (outgoing) await tx.objectStore("outbox").put(outgoing);\n',
        '      if (outgoing) session.db.put("outbox", outgoing).catch(() => {});\n',
        (TROUBLE,),
    ),
    Fault(
        "a receipt that a courier wrote is believed",
        f"{DATA}/receipts.ts",
        "    else if (!(await verify(line))) told.forged += 1;\n",
        "",
        (SHOWING,),
    ),
    Fault(
        "a run of codes is believed to be what it says that it is",
        f"{DATA}/codes.ts",
        "    if (hex(await nameOf(this.env, whole)) !== run) throw",
        "    if (run.length === 0) throw",
        (CODES,),
    ),
    Fault(
        "a code that was read wrong is taken",
        "pwa/src/core/codes.ts",
        "view.getUint32(10) !== check(bytes) || ",
        "",
        (CODES,),
    ),
    Fault(
        "a courier keeps one receipt of several",
        f"{DATA}/courier.ts",
        "for (const { sha256, is, reason, proof } of mine)",
        "for (const { sha256, is, reason, proof } of mine.slice(0, 1))",
        (SHOWING,),
    ),
    Fault(
        "what is carried goes before its receipt is kept",
        f"{DATA}/courier.ts",
        '  await write(db, ["carried"], async (tx) => {\n',
        '  for (const one of records) await db.delete("carried", one.sha256);\n'
        '  await write(db, ["carried"], async (tx) => {\n',
        ("pwa/tests/seldom.test.ts",),
    ),
    Fault(
        "two tabs give out one stamp",
        f"{DATA}/save.ts",
        "    if (now.last !== clock.last || now.offset !== clock.offset || newest(since) !== newest(moved))\n"
        "      return false;\n",
        "",
        (STORAGE,),
    ),
    Fault(
        "what a courier may have is forgotten with the next save",
        f"{DATA}/save.ts",
        " || mayBeOut(parent)) return",
        ") return",
        (STORAGE,),
    ),
    Fault(
        "each save of a day without a signal is kept",
        f"{DATA}/commit.ts",
        "  if (!offline) await out();\n",
        "  await out();\n",
        (STORAGE,),
    ),
    Fault(
        "what is still to be sent goes where the server has its name",
        f"{DATA}/commit.ts",
        'return state === "unsent" ? rev === own : descends(rev, revs, own);',
        "return descends(rev, revs, own);",
        (STORAGE,),
    ),
    Fault(
        "a form tells the times of before the clock was put right",
        f"{DATA}/save.ts",
        "  if (moved.length === 0) return drafts;\n",
        "  if (moved.length >= 0) return drafts;\n",
        ("pwa/tests/shifted.test.ts",),
    ),
    Fault(
        "a wrong clock sets a record beside what was built upon it",
        f"{DATA}/shift.ts",
        "      if (!onTop.has(old.rev)) continue;",
        "",
        (STORAGE,),
    ),
    Fault(
        "a child forgets what its unsent parent wrote",
        f"{DATA}/save.ts",
        "    fresh: both(fresh, own.fresh),\n",
        "    fresh: own.fresh,\n",
        (STORAGE,),
    ),
    Fault(
        "a form makes a child of what came after it was opened",
        f"{DATA}/save.ts",
        "  const revs = [digest(rev), ...(base?.revs ?? [])].slice(0, 100);\n",
        "  const revs = [digest(rev)];\n",
        (FIELD,),
    ),
    Fault(
        "a wrong clock moves what the server has, too",
        f"{DATA}/shift.ts",
        '.filter((leaf) => leaf.state === "unsent" && isToMove(leaf));\n  const gone',
        ".filter((leaf) => isToMove(leaf));\n  const gone",
        (STORAGE,),
    ),
    Fault(
        "a sync that failed is not told where it cannot be written down",
        f"{DATA}/syncing.ts",
        "      problem: this.problem ?? (note",
        "      problem: (note",
        (TROUBLE,),
    ),
    Fault(
        "a removal that was interrupted is not ended",
        f"{DATA}/loss.ts",
        "  mark(env, device, { unsent: 0, leaving: true });\n",
        "",
        (TROUBLE,),
    ),
    Fault(
        "a phone that was cleared looks like a new one",
        f"{DATA}/loss.ts",
        "    if (!account) devices.push(device);\n    else if",
        "    if (!account) continue;\n    else if",
        (TROUBLE,),
    ),
    Fault(
        "a revoked phone forgets before it has handed in",
        f"{DATA}/syncing.ts",
        "      if (left || (await standing(",
        "      if (left === null || (await standing(",
        (TROUBLE,),
    ),
    Fault(
        "a phone says that it was shut out while nobody tells who it is",
        f"{DATA}/syncing.ts",
        '    if (told === "revoked") {\n',
        '    if (told !== "live" && told !== "strange") {\n',
        (TROUBLE,),
    ),
    Fault(
        "a photograph's bytes go before the server has all of them",
        f"{DATA}/upload.ts",
        "      offset = await put(session, photo, bytes, offset);\n",
        "      offset = Math.max(await put(session, photo, bytes, offset), bytes.length);\n",
        ("pwa/tests/photos.test.ts",),
    ),
    Fault(
        "older rows of plain CouchDB take the place of what the server has lost",
        f"{DATA}/plain.ts",
        "      await commitMissing(session, db, lost);\n      again",
        "      again",
        ("pwa/tests/plain.test.ts",),
    ),
    Fault(
        "what files put back without a word refused is never offered again",
        f"{DATA}/commit.ts",
        "    if (own.again && states.includes(own.state)) await",
        "    if (own.again && own.lost) await",
        ("pwa/tests/exchange.test.ts",),
    ),
)
