import assert from "node:assert/strict";
import test from "node:test";
import { fromBase64url } from "../src/data/bytes.ts";
import { FieldError } from "../src/data/contract.ts";
import { open, RECORD, unpacked } from "../src/data/seal.ts";
import { type Phone, phone } from "./phone.ts";
import { enrolled, household, PIN, ScriptedServer, ulidOf } from "./server.ts";

const first = ulidOf(1);

test("a phone that joined has its hamlet, offline and after a restart", async () => {
  const mine = await enrolled(await ScriptedServer.start());
  mine.serve = null;
  const later = mine.again();
  assert.equal(await later.field.lifecycle(), "locked");
  await assert.rejects(later.field.unlock("000000"), new FieldError("wrong_pin"));
  await later.field.unlock(PIN);
  const [hamlet] = await later.field.hamlets();
  assert.deepEqual([hamlet?.name, hamlet?.total, hamlet?.signed], ["Nà Pò", 5, 0]);
  const rows = await later.field.households("na");
  assert.deepEqual(
    rows.map(({ name, outcome, where }) => [name, outcome, where]),
    [1, 2, 3, 4, 5].map((n) => [`Hoàng Văn ${n}`, "none", null]),
  );
});

test("a visit is on the phone at once, and received when the server has named its revision", async () => {
  const server = await ScriptedServer.start();
  const mine = await enrolled(server);
  mine.serve = null;
  await mine.field.recordVisit(await mine.field.openForm("na", first), "nobody_home");
  const offline = await mine.field.household("na", first);
  assert.deepEqual([offline.outcome, offline.where], ["nobody_home", "phone"]);
  assert.equal((await mine.field.syncNow()).problem, "offline");
  assert.equal((await mine.field.syncState()).waiting, 1);
  mine.serve = server.serve;
  const state = await mine.field.syncNow();
  assert.deepEqual([state.problem, state.waiting], [null, 0]);
  const synced = await mine.field.household("na", first);
  assert.deepEqual(
    [synced.outcome, synced.where, synced.acts[0]?.where],
    ["nobody_home", "received", "received"],
  );
});

test("an own correction is what the phone shows, whatever the server still says", async () => {
  const server = await ScriptedServer.start();
  const mine = await enrolled(server);
  await mine.field.editHousehold(await mine.field.openForm("na", first), { name: "Hoàng Thị Một" });
  server.put("hamlet-na", `household:${first}`, household(1, "Tên khác"), "2-cc");
  const push = server.verdict;
  server.verdict = () => "quarantined";
  await mine.field.syncNow();
  server.verdict = push;
  const [row] = await mine.field.households("na");
  assert.deepEqual([row?.name, row?.where], ["Hoàng Thị Một", "held"]);
});

test("a touch signature travels with its pledge and leaves the phone once received", async () => {
  const server = await ScriptedServer.start();
  const mine = await enrolled(server);
  await mine.field.recordSigned(await mine.field.openForm("na", first), {
    ...{ signer: "  Hoàng  Văn Một ", role: "head", method: "touch", assisted: false, readAloud: true },
    strokes: [[1, 2, 3, 4]],
  });
  assert.equal((await mine.field.household("na", first)).outcome, "signed");
  await mine.field.syncNow();
  const signatures = [...server.rows.keys()].filter((key) => key.includes("signature:"));
  assert.equal(signatures.length, 1);
  const account = await mine.field.account();
  const { openAccount } = await import("../src/data/db.ts");
  const db = await openAccount(mine.env, account?.id ?? "");
  assert.deepEqual([await db.count("own"), await db.count("outbox")], [0, 0]);
  const [act] = (await mine.field.household("na", first)).acts;
  assert.equal(act?.act.kind === "signed" && act.act.signer, "Hoàng Văn Một");
});

test("an own mistake is voided, and signing again stands", async () => {
  const mine = await enrolled(await ScriptedServer.start());
  const sign = async () =>
    mine.field.recordSigned(await mine.field.openForm("na", first), {
      ...{ signer: "Hoàng Văn 1", role: "head", method: "paper_signed", assisted: false, readAloud: true },
    });
  await sign();
  const form = await mine.field.openForm("na", first);
  const target = form.shown.acts[0]?.act.id ?? "";
  await mine.field.voidAct(form, target);
  const view = await mine.field.household("na", first);
  assert.deepEqual([view.outcome, view.acts.find(({ act }) => act.id === target)?.stands], ["none", false]);
  await sign();
  assert.equal((await mine.field.household("na", first)).outcome, "signed");
});

test("a form that was opened before a sync makes a child of what it showed", async () => {
  const server = await ScriptedServer.start();
  const mine = await enrolled(server);
  const form = await mine.field.openForm("na", first);
  const id = `household:${first}`;
  const old = server.winner("hamlet-na", id);
  server.put("hamlet-na", id, household(1, "Tên mới"), "2-bb", ["bb", old?.revs[0] ?? ""]);
  await mine.field.syncNow();
  await mine.field.editHousehold(form, { place: { house: "7" } });
  const docs = await sentDocs(mine, server);
  assert.deepEqual(
    docs.map(({ _revisions }) => (_revisions as { ids: string[] }).ids.slice(1)),
    [old?.revs],
  );
});

async function sentDocs(mine: Phone, server: ScriptedServer): Promise<Record<string, unknown>[]> {
  const before = server.requests.length;
  await mine.field.syncNow();
  return server.requests
    .slice(before)
    .flatMap(({ body }) => Object.values(JSON.parse(body).dbs as Record<string, { docs?: [] }>))
    .flatMap(({ docs }) => docs ?? []);
}

test("a clock that was wrong moves only what is unsent, under new revisions", async () => {
  const server = await ScriptedServer.start();
  const mine = await enrolled(server);
  const hour = 3_600_000;
  mine.clock.now += hour;
  mine.serve = null;
  await mine.field.recordVisit(await mine.field.openForm("na", first), "met");
  mine.serve = server.serve;
  assert.equal((await mine.field.syncNow()).problem, null);
  const taken = server.winner("hamlet-na", `pledge:2026:${first}`)?.doc as {
    stamps: { "*": string };
    acts: { at: string }[];
  };
  assert.equal(taken.acts[0]?.at, "2026-03-02T05:00:00Z");
  assert.ok(taken.stamps["*"].startsWith(String(server.clock)), taken.stamps["*"]);
  await mine.field.recordVisit(await mine.field.openForm("na", ulidOf(2)), "met");
  const later = await mine.field.household("na", ulidOf(2));
  assert.equal(later.acts[0]?.act.at, "2026-03-02T05:00:00Z");
});

test("a phone whose clock is right joins by a server with a dead battery, and keeps its own time", async () => {
  const server = await ScriptedServer.start();
  server.clock -= 5 * 365 * 86_400_000;
  const mine = phone(server.serve);
  await mine.field.join("abcde-fgh10", "Điện thoại");
  await mine.field.setPin(PIN);
  await mine.field.syncNow();
  const told = server.requests.find(({ path }) => path === "/db/_exchange");
  assert.equal(JSON.parse(told?.body ?? "").clock, mine.clock.now);
});

test("a stamp that no clock can have told stops neither what is written upon it nor what comes after", async () => {
  const server = await ScriptedServer.start();
  const mine = await enrolled(server);
  const id = `household:${first}`;
  const [old = ""] = server.winner("hamlet-na", id)?.revs ?? [];
  const frozen = { ...household(1, "Đóng băng"), stamps: { "*": "9999999999999-ffff-phonex" } };
  server.put("hamlet-na", id, frozen, "2-ee", ["ee", old]);
  await mine.field.syncNow();
  for (const name of ["Hoàng Thị Một", "Hoàng Thị Mốt"]) {
    await mine.field.editHousehold(await mine.field.openForm("na", first), { name });
    const [doc] = await sentDocs(mine, server);
    const stamps = doc?.stamps as Record<string, string> | undefined;
    assert.equal(stamps?.["*"]?.slice(0, 13), String(server.clock));
    assert.equal((await mine.field.household("na", first)).name, name);
  }
});

test("a clock beyond all stamps is told of before anything is written", async () => {
  const mine = await enrolled(await ScriptedServer.start());
  const right = mine.clock.now;
  const form = await mine.field.openForm("na", first);
  mine.clock.now = Date.parse("2100-01-01T00:00:01Z");
  await assert.rejects(mine.field.recordVisit(form, "met"), { code: "wrong_clock" });
  mine.clock.now = right;
  assert.equal((await mine.field.household("na", first)).outcome, "none");
  await mine.field.recordVisit(form, "met");
  assert.equal((await mine.field.household("na", first)).outcome, "met");
});

test("an answer cut after any byte costs one part, and nothing is lost or doubled", async () => {
  for (let cut = 0, whole = false; !whole; cut += 97) {
    const server = await ScriptedServer.start();
    const mine = await enrolled(server, 4);
    await mine.field.recordVisit(await mine.field.openForm("na", first), "met");
    server.put("hamlet-na", `household:${ulidOf(9)}`, household(9, "Mới đến"));
    server.cutAfter = cut;
    const { problem } = await mine.field.syncNow();
    whole = problem === null; // the cut came behind the last byte: the end of this test
    assert.ok(whole ? cut > 500 : problem === "cut", `cut at ${cut}: ${problem}`);
    assert.equal((await mine.field.household("na", first)).outcome, "met", `cut at ${cut}`);
    assert.equal((await mine.field.syncNow()).problem, null, `cut at ${cut}`);
    const rows = await mine.field.households("na");
    assert.deepEqual(
      [rows.length, rows[0]?.where, rows[0]?.outcome],
      [5, "received", "met"],
      `cut at ${cut}`,
    );
    assert.equal((await mine.field.household("na", first)).acts.length, 1);
  }
});

test("a sealed record opens with the server's key and holds what was saved", async () => {
  const server = await ScriptedServer.start();
  const mine = await enrolled(server);
  mine.serve = null;
  await mine.field.recordVisit(await mine.field.openForm("na", first), "come_back");
  const [head, line] = (await mine.field.bundle()).split("\n");
  assert.equal(head, "camket-bundle 1 key1");
  const env = mine.env;
  const plain = await open(env, server.pair, "key1", RECORD, fromBase64url(line ?? ""));
  const record = (await unpacked(plain)) as { send: string; db: string; doc: { _id: string } };
  assert.deepEqual(
    [record.send, record.db, record.doc._id],
    ["s.dev1.secret", "hamlet-na", `pledge:2026:${first}`],
  );
});

test("a meeting is saved whole: one pledge each", async () => {
  const mine = await enrolled(await ScriptedServer.start());
  const households = [1, 2, 3].map((n) => ({
    ...{ id: ulidOf(n), signer: `Hoàng Văn ${n}`, role: "head" as const, method: "paper_signed" as const },
  }));
  await mine.field.meeting("na", { date: "2026-03-01", sheet: 2, readAloud: true, households });
  const [hamlet] = await mine.field.hamlets();
  assert.deepEqual([hamlet?.signed, hamlet?.waiting], [3, 3]);
  await mine.field.syncNow();
  assert.equal((await mine.field.hamlets())[0]?.waiting, 0);
});

test("a household added on the phone stands in its place on the walk", async () => {
  const mine = await enrolled(await ScriptedServer.start());
  const id = await mine.field.addHousehold("na", { name: "Nông Thị Hoa", after: ulidOf(2) });
  const rows = await mine.field.households("na");
  assert.equal(rows[2]?.id, id);
  await mine.field.syncNow();
  assert.equal((await mine.field.households("na"))[2]?.where, null);
});

test("on a weak link uploads go in batches of at most 32 kB, pledges first", async () => {
  const server = await ScriptedServer.start();
  const mine = await enrolled(server, 150);
  mine.weak = true;
  for (let n = 1; n <= 150; n++) {
    const stroke = Array.from({ length: 120 }, (_, i) => (n * 7919 + i * i * 104_729) % 1000);
    await mine.field.recordSigned(await mine.field.openForm("na", ulidOf(n)), {
      ...{ signer: "Hoàng Văn A", role: "head", method: "touch", assisted: false, readAloud: true },
      strokes: [stroke],
    });
  }
  const before = server.requests.length;
  assert.equal((await mine.field.syncNow()).problem, null);
  const sent = server.requests.slice(before);
  assert.ok(sent.length > 1, `${sent.length} requests`);
  for (const { raw } of sent) assert.ok((raw?.length ?? 0) <= 32_000, `${raw?.length} bytes`);
  const kinds = sent.flatMap(({ body }) =>
    (JSON.parse(body).dbs["hamlet-na"].docs as { type: string }[]).map(({ type }) => type),
  );
  assert.equal(kinds.lastIndexOf("pledge") + 1, kinds.indexOf("signature"));
  assert.equal((await mine.field.syncState()).waiting, 0);
});

test("a record that a rule refuses stays, says why, and goes again when the volunteer asks", async () => {
  const server = await ScriptedServer.start();
  const mine = await enrolled(server);
  server.verdict = () => "forbidden";
  await mine.field.recordVisit(await mine.field.openForm("na", first), "met");
  await mine.field.syncNow();
  const refused = await mine.field.household("na", first);
  assert.deepEqual([refused.outcome, refused.where, refused.reason], ["met", "refused", "Vì sao"]);
  assert.deepEqual(
    (await mine.field.problems()).map(({ kind, id, where }) => [kind, id, where]),
    [["household", first, "refused"]],
  );
  server.verdict = () => "received";
  assert.equal((await mine.field.syncNow()).refused, 0);
  assert.equal((await mine.field.household("na", first)).where, "received");
});

test("a record in quarantine is not sent again; it waits for its outcome, and a correction closes it", async () => {
  const server = await ScriptedServer.start();
  const mine = await enrolled(server);
  server.verdict = () => "quarantined";
  await mine.field.recordVisit(await mine.field.openForm("na", first), "met");
  await mine.field.syncNow();
  assert.equal((await mine.field.household("na", first)).where, "held");
  server.verdict = () => "received";
  assert.deepEqual(await sentDocs(mine, server), []);
  const { body } = server.requests[server.requests.length - 1] ?? { body: "{}" };
  const [[waiting]] = JSON.parse(body).dbs["hamlet-na"].waiting;
  assert.equal(waiting, `pledge:2026:${first}`);
  await mine.field.recordVisit(await mine.field.openForm("na", first), "come_back");
  const [doc] = await sentDocs(mine, server);
  assert.equal((doc?.acts as unknown[] | undefined)?.length, 2);
  const view = await mine.field.household("na", first);
  assert.deepEqual([view.where, view.acts.length, (await mine.field.problems()).length], ["received", 2, 0]);
});

test("a hamlet that is held no longer leaves the phone; what is unsent of it still goes up", async () => {
  const server = await ScriptedServer.start();
  const mine = await enrolled(server);
  server.parts = (parts) => [
    { clock: server.clock, dbs: ["commune"], user: {} },
    { db: "hamlet-na", gone: true },
    ...parts.slice(1).filter((part) => (part as { db?: string }).db !== "hamlet-na"),
  ];
  await mine.field.recordVisit(await mine.field.openForm("na", first), "met");
  await mine.field.syncNow();
  assert.deepEqual(await mine.field.households("na"), []);
  assert.equal((await mine.field.syncState()).waiting, 1);
  server.parts = (parts) => parts;
  assert.equal((await sentDocs(mine, server))[0]?._id, `pledge:2026:${first}`);
});

test("a document of a later version is shown as far as it is understood, and kept whole when edited", async () => {
  const server = await ScriptedServer.start();
  const mine = await enrolled(server, 1);
  const later = {
    ...household(2, "Lý Văn Mới"),
    v: 2,
    status: "living there",
    added: { by: "a later program" },
  };
  server.put("hamlet-na", `household:${ulidOf(2)}`, later);
  await mine.field.syncNow();
  const row = (await mine.field.households("na"))[1];
  assert.deepEqual([row?.name, row?.status], ["Lý Văn Mới", "resident"]);
  await mine.field.editHousehold(await mine.field.openForm("na", ulidOf(2)), { name: "Lý Văn Hai" });
  const [doc] = await sentDocs(mine, server);
  assert.deepEqual([doc?.v, doc?.name, doc?.added], [2, "Lý Văn Hai", { by: "a later program" }]);
});

test("an answer that is not understood loses nothing and says so", async () => {
  const server = await ScriptedServer.start();
  const mine = await enrolled(server);
  await mine.field.recordVisit(await mine.field.openForm("na", first), "met");
  for (const parts of [["text"], [{ db: "hamlet-na" }], [{ db: "hamlet-na", rows: [{}], position: "1" }]]) {
    server.parts = () => parts;
    assert.equal((await mine.field.syncNow()).problem, "server");
  }
  mine.serve = () => new Response("<html>", { status: 502 });
  assert.equal((await mine.field.syncNow()).problem, "server");
  mine.serve = server.serve;
  server.parts = (parts) => parts;
  assert.deepEqual([(await mine.field.syncNow()).problem, (await mine.field.syncState()).waiting], [null, 0]);
});

test("after a failure the phone tries again by itself, later and later, and never all phones at once", async () => {
  const server = await ScriptedServer.start();
  const mine = await enrolled(server);
  await mine.field.recordVisit(await mine.field.openForm("na", first), "met");
  mine.serve = null;
  const waits: number[] = [];
  for (let n = 0; n < 4; n++) {
    await mine.field.syncNow();
    waits.push((mine.timers[0]?.at ?? 0) - mine.clock.now);
  }
  for (const [n, most] of [15_000, 30_000, 60_000, 120_000].entries()) {
    const wait = waits[n] ?? 0;
    assert.ok(wait >= most / 2 && wait <= most, `${n}: ${wait}`);
  }
  mine.serve = server.serve;
  const synced = new Promise((resolve) => mine.field.onChange(resolve));
  mine.timers[0]?.call();
  await synced;
  await mine.field.syncNow();
  assert.equal((await mine.field.syncState()).waiting, 0);
  assert.equal(mine.timers.length, 1);
});

test("what the server asks for again goes up, though the winner that it shows was built upon it", async () => {
  const server = await ScriptedServer.start();
  const mine = await enrolled(server);
  const [db, id] = ["hamlet-na", `household:${ulidOf(1)}`];
  await mine.field.editHousehold(await mine.field.openForm("na", ulidOf(1)), { name: "Đã mất" });
  await mine.field.syncNow();
  const lost = server.winner(db, id);
  assert.ok(lost);
  // restored to before that, the server knows it by name alone, from what a colleague has built upon it
  const above = "f".repeat(32);
  server.put(db, id, { ...lost.doc, name: "Mới" }, `3-${above}`, [above, ...lost.revs]);
  let restored = true;
  server.parts = (parts, asked) => {
    const about = JSON.parse(asked.body).dbs[db];
    if (about.have) return [parts[0], { db, missing: [[id, lost.rev]] }, ...parts.slice(1)];
    if (!restored) return parts;
    restored = false;
    return [parts[0], { db, position_lost: true }, { done: true }];
  };
  assert.equal((await mine.field.syncNow()).problem, null);
  const bodies = server.requests.flatMap(({ path, body }) =>
    path === "/db/_exchange" ? [JSON.parse(body)] : [],
  );
  const sent = bodies.flatMap((body) => body.dbs[db]?.docs ?? []).filter(({ _rev }) => _rev === lost.rev);
  assert.deepEqual(
    sent.map(({ name }) => name),
    ["Đã mất", "Đã mất"],
  );
});
