/** What the phone does when its storage fails, fills up, or is looked at by somebody else. */
import assert from "node:assert/strict";
import test from "node:test";
import { unlock } from "../src/data/accounts.ts";
import { compact } from "../src/data/compact.ts";
import { dataKey, decrypt, encrypt, newDataKey, unwrap, wrap } from "../src/data/crypto.ts";
import type { Own } from "../src/data/db.ts";
import { openAccount } from "../src/data/db.ts";
import { goes, inOrder } from "../src/data/gather.ts";
import { readAll } from "../src/data/records.ts";
import { type Phone, phone } from "./phone.ts";
import { enrolled, household, PIN, ScriptedServer, ulidOf } from "./server.ts";

const first = ulidOf(1);

/** Makes the next writes to a store fail as a browser's do. */
function failing(store: string, error: DOMException): () => void {
  const { put } = IDBObjectStore.prototype;
  IDBObjectStore.prototype.put = function (this: IDBObjectStore, ...args: [unknown, IDBValidKey?]) {
    if (this.name === store) throw error;
    return put.apply(this, args);
  };
  return () => {
    IDBObjectStore.prototype.put = put;
  };
}

for (const [error, code] of [
  ["QuotaExceededError", "storage_full"],
  ["UnknownError", "not_saved"],
] as const)
  test(`a save that meets ${error} says so, writes nothing, and works when tried again`, async () => {
    const server = await ScriptedServer.start();
    const mine = await enrolled(server);
    const form = await mine.field.openForm("na", first);
    // The record itself has been put by then: the transaction must take it back.
    const mend = failing("outbox", new DOMException("no", error));
    await assert.rejects(mine.field.recordVisit(form, "met"), { code });
    mend();
    assert.equal((await mine.field.household("na", first)).outcome, "none");
    assert.equal((await mine.field.syncState()).waiting, 0);
    await mine.field.recordVisit(form, "met");
    assert.equal((await mine.field.household("na", first)).outcome, "met");
  });

test("a phone without room lets out what it holds, by a sync and by a file, and counts none of it as sent", async () => {
  const server = await ScriptedServer.start();
  const mine = await enrolled(server);
  await mine.field.recordVisit(await mine.field.openForm("na", first), "met");
  const mend = failing("own", new DOMException("full", "QuotaExceededError"));
  assert.equal((await mine.field.bundle()).split("\n").length, 3);
  const full = await mine.field.syncNow();
  mend();
  assert.deepEqual([full.problem, full.waiting], ["storage_full", 1]);
  assert.ok(server.winner("hamlet-na", `pledge:2026:${first}`), "the office has it all the same");
  const later = await mine.field.syncNow();
  assert.deepEqual([later.problem, later.waiting], [null, 0]);
  assert.equal((await mine.field.household("na", first)).acts.length, 1);
});

test("a part that cannot be stored leaves the position behind it, and comes again", async () => {
  const server = await ScriptedServer.start();
  const mine = await enrolled(server);
  server.put("hamlet-na", `household:${ulidOf(9)}`, household(9, "Mới đến"));
  const mend = failing("heads", new DOMException("full", "QuotaExceededError"));
  assert.equal((await mine.field.syncNow()).problem, "storage_full");
  mend();
  assert.equal((await mine.field.households("na")).length, 5);
  assert.equal((await mine.field.syncNow()).problem, null);
  assert.equal((await mine.field.households("na")).length, 6);
  await mine.field.syncNow();
  const { dbs } = JSON.parse(server.requests[server.requests.length - 1]?.body ?? "{}");
  assert.equal(dbs["hamlet-na"].since, String(server.seq), "nothing is asked for twice");
});

test("two tabs that save at once both keep their record, under different stamps", async () => {
  const mine = await enrolled(await ScriptedServer.start());
  const other = mine.again();
  await other.field.unlock(PIN);
  const [one, two] = [await mine.field.openForm("na", first), await other.field.openForm("na", ulidOf(2))];
  await Promise.all([mine.field.recordVisit(one, "met"), other.field.recordVisit(two, "met")]);
  const db = await openAccount(mine.env, "dev1");
  const own = await db.getAll("own");
  assert.equal(new Set(own.flatMap(({ fresh }) => fresh.stamps)).size, 2);
});

test("two forms opened on the same revision make two leaves, and both acts are shown and sent", async () => {
  const server = await ScriptedServer.start();
  const mine = await enrolled(server);
  await mine.field.recordVisit(await mine.field.openForm("na", first), "nobody_home");
  const [one, two] = [await mine.field.openForm("na", first), await mine.field.openForm("na", first)];
  await mine.field.recordVisit(one, "come_back");
  await mine.field.recordVisit(two, "met");
  assert.equal((await mine.field.household("na", first)).acts.length, 3);
  assert.equal((await mine.field.syncState()).waiting, 2);
});

test("of a record that is edited again and again only what may have left the phone is kept beside its last state", async () => {
  const mine = await enrolled(await ScriptedServer.start());
  const db = await openAccount(mine.env, "dev1");
  const { serve } = mine;
  const edits = async (times: number) => {
    for (let n = 0; n < times; n++) {
      await mine.field.recordVisit(await mine.field.openForm("na", first), "come_back");
      assert.equal((await mine.field.syncNow()).problem, "offline");
    }
    return [await db.count("own"), await db.count("outbox"), (await mine.field.syncState()).waiting];
  };
  mine.serve = null;
  assert.deepEqual(await edits(10), [1, 1, 1]);
  await mine.field.bundle();
  assert.deepEqual(await edits(10), [2, 2, 1]);
  mine.serve = () => Promise.reject(new TypeError("cut")); // a link that swallows what it is given
  assert.deepEqual(await edits(2), [3, 3, 1]);
  mine.serve = serve;
  assert.deepEqual((await mine.field.syncNow()).problem, null);
  assert.deepEqual([await db.count("own"), await db.count("outbox")], [0, 0]);
});

for (const held of ["come_back", "met"])
  test(`an outcome is for the revision that it names and no other (${held} is held back)`, async () => {
    const server = await ScriptedServer.start();
    const mine = await enrolled(server);
    const forms = [await mine.field.openForm("na", first), await mine.field.openForm("na", first)] as const;
    await mine.field.recordVisit(forms[0], "come_back");
    await mine.field.recordVisit(forms[1], "met");
    const sent: string[] = [];
    server.verdict = (doc) => {
      if (!JSON.stringify(doc.acts).includes(held)) return "received";
      sent.push(String(doc._rev));
      return "quarantined";
    };
    assert.equal((await mine.field.syncNow()).problem, null);
    const own = await (await openAccount(mine.env, "dev1")).getAll("own");
    assert.deepEqual(
      own.map(({ rev, state }) => [rev, state]),
      sent.map((rev) => [rev, "held"]),
    );
  });

test("a wrong clock moves all that a record gathered unsent, and nothing that the office holds", async () => {
  const server = await ScriptedServer.start();
  const mine = await enrolled(server);
  const db = await openAccount(mine.env, "dev1");
  server.verdict = () => "quarantined";
  await mine.field.recordVisit(await mine.field.openForm("na", ulidOf(2)), "met");
  await mine.field.syncNow();
  const [held] = await db.getAll("own");
  server.verdict = (doc) => (doc._rev === held?.rev ? "quarantined" : "received");
  mine.clock.now += 3_600_000;
  await mine.field.recordVisit(await mine.field.openForm("na", first), "nobody_home");
  await mine.field.recordVisit(await mine.field.openForm("na", first), "met");
  assert.equal((await mine.field.syncNow()).problem, null);
  const taken = server.winner("hamlet-na", `pledge:2026:${first}`)?.doc as { acts: { at: string }[] };
  assert.deepEqual(
    taken.acts.map(({ at }) => at),
    ["2026-03-02T05:00:00Z", "2026-03-02T05:00:00Z"],
  );
  assert.deepEqual(await db.getAll("own"), [held]);
});

/** A phone with two visits to a household, one upon the other, of which the first has left it. */
async function builtUpon(server: ScriptedServer, ahead = 0): Promise<Phone> {
  const mine = await enrolled(server);
  mine.clock.now += ahead;
  await mine.field.recordVisit(await mine.field.openForm("na", first), "nobody_home");
  await mine.field.bundle();
  await mine.field.recordVisit(await mine.field.openForm("na", first), "met");
  return mine;
}

test("what is put off stays, also where the server knows it by name from what was built upon it", async () => {
  const server = await ScriptedServer.start();
  const mine = await builtUpon(server);
  server.verdict = ({ _rev }) => (String(_rev).startsWith("1-") ? "later" : "received");
  assert.equal((await mine.field.syncNow()).problem, null);
  const db = await openAccount(mine.env, "dev1");
  assert.deepEqual(
    (await db.getAll("own")).map(({ rev, state }) => [rev.slice(0, 2), state]),
    [["1-", "unsent"]],
  );
  server.verdict = () => "received";
  await mine.field.syncNow();
  assert.equal(await db.count("own"), 0);
});

test("a record of a wrong clock that never arrived moves within what was built upon it, and not beside that", async () => {
  const server = await ScriptedServer.start();
  const mine = await builtUpon(server, 3_600_000);
  const sent: string[] = [];
  server.parts = (parts, { body }) => {
    const { docs = [], waiting = [] } = JSON.parse(body).dbs["hamlet-na"] ?? {};
    sent.push(...docs.map(({ _rev }: { _rev: string }) => _rev.slice(0, 2)));
    const missing = waiting.length > 0 ? [{ db: "hamlet-na", missing: waiting }] : [];
    return [...parts.slice(0, -1), ...missing, ...parts.slice(-1)];
  };
  assert.equal((await mine.field.syncNow()).problem, null);
  assert.deepEqual(sent, ["3-"]);
  const { doc } = server.winner("hamlet-na", `pledge:2026:${first}`) ?? {};
  assert.deepEqual(
    ((doc?.acts ?? []) as { at: string }[]).map(({ at }) => at),
    ["2026-03-02T05:00:00Z", "2026-03-02T05:00:00Z"],
  );
});

test("nothing of a household or of a pledge lies readable in the database", async () => {
  const mine = await enrolled(await ScriptedServer.start());
  await mine.field.recordSigned(await mine.field.openForm("na", first), {
    ...{ signer: "Hoàng Văn Một", role: "head", method: "touch", assisted: false, readAloud: true },
    strokes: [[123, 456, 789, 321]],
  });
  const db = await openAccount(mine.env, "dev1");
  const stores = ["meta", "databases", "heads", "pages", "own", "outbox"] as const;
  const all = await Promise.all(stores.map((store) => db.getAll(store)));
  const seen = JSON.stringify(all, (_key, value) =>
    value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : value,
  );
  for (const secret of ["Hoàng", Buffer.from("Hoàng").toString("latin1"), "d.dev1.secret", "123,456", PIN])
    assert.ok(!seen.includes(secret), secret);
});

test("a PIN opens its own data key only, and a record only its own place", async () => {
  const { env } = phone();
  const raw = newDataKey(env);
  const wrapped = await wrap(env, "123456", raw, 1000);
  assert.deepEqual(await unwrap(env, "123456", wrapped), raw);
  assert.equal(await unwrap(env, "123457", wrapped), null);
  const key = await dataKey(env, raw);
  const record = await encrypt(env, key, new TextEncoder().encode("bí mật") as never, "own a 1");
  await assert.rejects(decrypt(env, key, record, "own a 2"));
  assert.equal(new TextDecoder().decode(await decrypt(env, key, record, "own a 1")), "bí mật");
  await assert.rejects(env.subtle.exportKey("raw", key));
});

test("the PIN that is stored took PBKDF2 at least 600,000 rounds", async () => {
  const mine = await enrolled(await ScriptedServer.start());
  const keys = (await (await openAccount(mine.env, "dev1")).get("meta", "keys")) as {
    pin: { iterations: number };
  };
  assert.ok(keys.pin.iterations >= 600_000);
});

test("wrong PINs cost more and more time, and the right one ends it", async () => {
  const mine = await enrolled(await ScriptedServer.start());
  await mine.field.lock();
  for (let n = 0; n < 5; n++) await assert.rejects(mine.field.unlock("000000"), { code: "wrong_pin" });
  await assert.rejects(mine.field.unlock(PIN), { code: "wait", detail: 30 });
  mine.clock.now += 30_000;
  await mine.field.unlock(PIN);
  assert.equal(await mine.field.lifecycle(), "open");
});

test("a changed PIN opens the same data, and the old one does not", async () => {
  const mine = await enrolled(await ScriptedServer.start());
  await mine.field.changePin(PIN, "24682468");
  await mine.field.lock();
  await assert.rejects(mine.field.unlock(PIN), { code: "wrong_pin" });
  await mine.field.unlock("24682468");
  assert.equal((await mine.field.households("na")).length, 5);
});

test("a forgotten PIN is replaced once the office has approved, over the same data", async () => {
  const server = await ScriptedServer.start();
  const mine = await enrolled(server);
  await mine.field.recordVisit(await mine.field.openForm("na", first), "met");
  const locked = mine.again();
  await locked.field.forgotPin();
  assert.equal(await locked.field.recovery(), "pending");
  await server.approveRecovery();
  assert.equal(await locked.field.recovery(), "approved");
  await locked.field.recover("97531975");
  assert.equal((await locked.field.household("na", first)).outcome, "met");
});

test("pages are written anew when they are many, and an erased household leaves none behind", async () => {
  const server = await ScriptedServer.start();
  const mine = await enrolled(server, 2);
  for (let n = 0; n < 20; n++) {
    server.put("hamlet-na", `household:${first}`, household(1, `Tên ${n}`), `${n + 2}-aa${n}`);
    await mine.field.syncNow();
  }
  const db = await openAccount(mine.env, "dev1");
  assert.ok((await db.countFromIndex("pages", "db", "hamlet-na")) < 15);
  assert.equal((await mine.field.households("na"))[0]?.name, "Tên 19");
  server.parts = (parts) => [
    ...parts.slice(0, -1),
    { db: "hamlet-na", outcomes: [[`household:${first}`, "21-aa19", "erased"]] },
    { done: true },
  ];
  await mine.field.syncNow();
  const session = await unlock(mine.env, db, PIN);
  assert.deepEqual((await mine.field.households("na")).length, 1);
  const pages = await db.getAllFromIndex("pages", "db", "hamlet-na");
  assert.deepEqual(
    pages.map(({ count }) => count),
    [1],
  );
  await compact(session);
  assert.equal((await readAll(session, "hamlet-na")).size, 1);
});

test("pledges go first, then households, then signatures; what is held or refused waits", () => {
  const leaf = (id: string, state: Own["state"], saved = 0) => ({ id, state, saved }) as Own;
  const own = [
    leaf("signature:1", "unsent"),
    leaf("household:1", "unsent"),
    leaf("pledge:b", "unsent", 2),
    leaf("pledge:a", "unsent", 1),
    leaf("pledge:c", "held"),
    leaf("pledge:d", "refused"),
  ];
  const going = inOrder(own.filter((one) => goes(one, false)));
  assert.deepEqual(
    going.map(({ id }) => id),
    ["pledge:a", "pledge:b", "household:1", "signature:1"],
  );
  assert.ok(goes(leaf("pledge:d", "refused"), true));
});

test("a form that is half filled in goes with the household that was erased, and stays where that has moved", async () => {
  const server = await ScriptedServer.start();
  const mine = await enrolled(server, 4);
  const [second, third, fourth] = [ulidOf(2), ulidOf(3), ulidOf(4)];
  const names = [
    `sign/${first}`,
    `edit/${second}`,
    `amend/household/${third}`,
    `edit/${fourth}`,
    "meeting/na",
  ];
  for (const name of names) await mine.field.keepDraft(name, { name: "Hoàng" });
  const deleted = (id: string) => ({ id: `household:${id}`, rev: "2-b", revs: ["b"], deleted: true });
  const moved = { id: `household:${third}`, rev: "1-c", revs: ["c"], doc: household(3, "Hoàng") };
  server.parts = (parts) => [
    ...parts.slice(0, -1),
    { db: "hamlet-na", outcomes: [[`pledge:2026:${first}`, "1-a", "erased"]] },
    { db: "hamlet-na", rows: [deleted(second), deleted(third)], position: "90" },
    { db: "hamlet-khac", rows: [moved], position: "90" },
    { done: true },
  ];
  assert.equal((await mine.field.syncNow()).problem, null);
  const left = await (await openAccount(mine.env, "dev1")).getAllKeys("drafts");
  assert.deepEqual(left, [names[2], names[3], names[4]]);
});

test("what was erased takes no more saves, and no form is half filled in about it again; what has moved does", async () => {
  const server = await ScriptedServer.start();
  const mine = await enrolled(server, 4);
  const [second, third] = [ulidOf(2), ulidOf(3)];
  const forms = await Promise.all([first, second, third].map((id) => mine.field.openForm("na", id)));
  const moved = { moved_to: "hamlet-khac" };
  const deleted = (id: string, doc = {}) => ({
    ...{ id: `household:${id}`, rev: "2-b", revs: ["b"], deleted: true, ...doc },
  });
  server.parts = (parts) => [
    ...parts.slice(0, -1),
    { db: "hamlet-na", outcomes: [[`household:${first}`, "1-a", "erased"]] },
    { db: "hamlet-na", rows: [deleted(second), deleted(third, { doc: moved })], position: "90" },
    { done: true },
  ];
  assert.equal((await mine.field.syncNow()).problem, null);
  const db = await openAccount(mine.env, "dev1");
  for (const [n, id] of [first, second].entries()) {
    const form = forms[n];
    assert.ok(form);
    await assert.rejects(mine.field.household("na", id), { code: "missing" });
    await assert.rejects(mine.field.recordVisit(form, "met"), { code: "missing" });
    await assert.rejects(mine.field.editHousehold(form, { name: "Hoàng" }), { code: "missing" });
    await assert.rejects(mine.field.keepDraft(`edit/${id}`, { name: "Hoàng" }), { code: "missing" });
    await assert.rejects(mine.field.draft(`edit/${id}`), { code: "missing" });
    await mine.field.keepDraft(`edit/${id}`, null);
  }
  assert.deepEqual([await db.count("own"), await db.count("outbox"), await db.count("drafts")], [0, 0, 0]);
  await mine.field.keepDraft(`edit/${third}`, { name: "Hoàng" });
  await mine.field.editHousehold(forms[2] as never, { name: "Hoàng" });
  assert.deepEqual([await db.count("own"), await db.count("drafts")], [1, 1]);
});

test("a draft outlives the app, encrypted, until it is forgotten", async () => {
  const mine = await enrolled(await ScriptedServer.start());
  await mine.field.keepDraft("meeting/na", { sheet: "7", chosen: [first] });
  const again = mine.again();
  await assert.rejects(again.field.draft("meeting/na"), { code: "locked" });
  await again.field.unlock(PIN);
  assert.deepEqual(await again.field.draft("meeting/na"), { sheet: "7", chosen: [first] });
  assert.equal(await again.field.draft("meeting/other"), null);
  const device = (await again.field.account())?.id ?? "";
  const [kept] = await (await openAccount(again.env, device)).getAll("drafts");
  assert.ok(kept && !Buffer.from(kept).toString("latin1").includes(first));
  await again.field.keepDraft("meeting/na", null);
  assert.equal(await again.field.draft("meeting/na"), null);
});
