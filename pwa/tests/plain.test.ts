/** A phone whose proxy refuses the exchange, and a real server: the same records travel by plain CouchDB. */
import assert from "node:assert/strict";
import test from "node:test";
import { openAccount } from "../src/data/db.ts";
import type { Phone, Serve } from "./phone.ts";
import { PIN, synced, twoPhones } from "./real.ts";

const { server, mai, lan } = await twoPhones();

const household = (n: number): string => server.commune.households.napo[n - 1] ?? "";
const form = (who: Phone, n: number) => who.field.openForm("napo", household(n));
const view = (who: Phone, n: number) => who.field.household("napo", household(n));
const invite = (user: string): string =>
  /[0-9A-Z]{5}-[0-9A-Z]{5}/.exec(server.camket("user", "invite", user))?.[0] ?? "";
const visit = async (who: Phone, n: number) => who.field.recordVisit(await form(who, n), "met");

/** What went over the link since the last time that it was asked. */
const went: string[] = [];
const traffic = () => went.splice(0);

const refusing: Serve = (asked) => {
  went.push(asked.path.split("?")[0] ?? "");
  if (asked.path === "/db/_exchange") return new Response("<h1>Not Found</h1>", { status: 404 });
  return server.link(asked);
};

test("records go up and come down, whichever way was open, and none is doubled", async () => {
  for (const [n, link] of [
    [1, refusing],
    [2, server.link],
    [3, refusing],
  ] as const) {
    mai.serve = link;
    await visit(mai, n);
    await lan.field.editHousehold(await form(lan, n), { name: `Lý Văn ${n}` });
    await synced(lan, mai, lan);
    mai.clock.now = Date.now() + 2_000; // acts are told apart by the second
    await mai.field.recordVisit(await form(mai, n), "come_back");
    await synced(mai, lan, mai);
    for (const who of [mai, lan]) {
      const { name, outcome, where, acts } = await view(who, n);
      assert.deepEqual([name, outcome, where, acts.length], [`Lý Văn ${n}`, "come_back", "received", 2]);
    }
  }
});

test("where the exchange was refused it is tried without records, so that none travels twice", async () => {
  mai.serve = refusing;
  await synced(mai);
  traffic();
  await visit(mai, 4);
  await synced(mai);
  const hamlet = "/db/hamlet-napo";
  assert.deepEqual(traffic(), [
    ...["/db/_exchange", "/db/commune/_changes"],
    ...[`${hamlet}/_revs_diff`, `${hamlet}/_bulk_docs`, `${hamlet}/_changes`],
  ]);
  mai.serve = server.link;
  await visit(mai, 4);
  await synced(mai, lan);
  assert.equal((await view(lan, 4)).acts.length, 2);
});

test("a clock that runs ahead, or behind, is put right by the server's", async () => {
  mai.serve = refusing;
  for (const [n, off] of [
    [5, 2 * 3_600_000],
    [6, -400 * 24 * 3_600_000],
  ] as const) {
    mai.clock.now = Date.now() + off;
    await visit(mai, n);
    await synced(mai, lan);
    const [visited] = (await view(lan, n)).acts;
    assert.ok(Math.abs(Date.parse(visited?.act.at ?? "") - Date.now()) < 60_000, visited?.act.at);
    assert.equal((await view(mai, n)).where, "received");
  }
  mai.clock.now = Date.now();
  mai.serve = server.link; // with nothing to send, only the exchange tells the time
  await synced(mai);
});

test("a clock that fell back by years moves only what was written since", async () => {
  const year = 365 * 24 * 3_600_000;
  for (const [n, link, wrong] of [
    [10, server.link, -60_000],
    [11, refusing, -60_000],
    [9, server.link, year], // it had run ahead before
    [12, refusing, year],
  ] as const) {
    mai.serve = null;
    mai.clock.now = Date.now() + wrong;
    await visit(mai, n); // and now the battery is empty
    mai.clock.now = Date.parse("2000-01-01T00:00:00Z");
    await mai.field.recordVisit(await form(mai, n), "come_back");
    await lan.field.editHousehold(await form(lan, n), { name: "Lý Thị Sau" });
    mai.serve = link;
    await synced(mai, lan, mai);
    const { acts, outcome, name, where } = await view(mai, n);
    assert.deepEqual([outcome, name, where, acts.length], ["come_back", "Lý Thị Sau", "received", 2]);
    for (const { act } of acts) assert.ok(Math.abs(Date.parse(act.at) - Date.now()) < 90_000, act.at);
    mai.clock.now = Date.now();
    mai.serve = server.link;
    await synced(mai);
  }
});

test("what left the phone without an answer stays as it is under what was saved upon it", async () => {
  const hour = 3_600_000;
  const cut: Serve = async (asked) => {
    await server.link(asked);
    throw new TypeError("cut");
  };
  for (const [n, link, arrived] of [
    [9, server.link, true],
    [12, refusing, true],
    [3, server.link, false],
  ] as const) {
    const before = (await view(mai, n)).acts.length;
    const at = Date.now();
    // What never arrives was told by a clock that was wrong already.
    mai.clock.now = at + (arrived ? 0 : hour);
    await visit(mai, n);
    mai.serve = arrived ? cut : null;
    if (arrived) await mai.field.syncNow();
    else await mai.field.bundle();
    mai.clock.now = at + hour + 2_000;
    const opened = await form(mai, n);
    await mai.field.voidAct(opened, opened.shown.acts.at(-1)?.act.id ?? "");
    mai.serve = link;
    for (const _ of [1, 2, 3]) await synced(mai);
    await synced(lan);
    assert.deepEqual(
      [(await view(mai, n)).where, await mai.field.problems()],
      ["received", []],
      `household ${n}`,
    );
    const { acts } = await view(lan, n);
    assert.equal(acts.length, before + 2, `household ${n}`);
    for (const { act } of acts.slice(before))
      assert.ok(Math.abs(Date.parse(act.at) - at) < 60_000, `household ${n}: ${act.at}`);
    mai.clock.now = Date.now();
    mai.serve = server.link;
    await synced(mai);
  }
});

test("what the office holds back is held, not refused, until the office has decided", async () => {
  for (const [n, decided, where] of [
    [7, "release", "received"],
    [8, "discard", "refused"],
  ] as const) {
    // A locked phone hands in what a wrong clock had stamped; it hears of it on its next sync.
    mai.serve = null;
    mai.clock.now = Date.now() + 3 * 3_600_000;
    await visit(mai, n);
    const locked = mai.again();
    locked.serve = server.link;
    await locked.field.syncNow();
    mai.clock.now = Date.now();
    mai.serve = refusing;
    await synced(mai);
    assert.equal((await view(mai, n)).where, "held");
    assert.match((await view(mai, n)).reason ?? "", /^Giờ của điện thoại bị sai/);
    assert.deepEqual(
      [(await mai.field.syncState()).waiting, (await mai.field.problems())[0]?.where],
      [0, "held"],
    );
    await server.office("quantri", { quarantine: decided });
    await synced(mai);
    await synced(mai);
    assert.equal((await view(mai, n)).where, where);
  }
  assert.equal((await view(mai, 7)).acts.length, 1);
});

test("what was erased leaves the phone, unsent records included", async () => {
  mai.serve = refusing;
  await visit(mai, 9);
  await server.office("quantri", { erase: `hamlet-napo/${household(9)}` });
  await synced(mai);
  await synced(mai);
  assert.ok(!(await mai.field.households("napo")).some(({ id }) => id === household(9)));
  assert.deepEqual((await mai.field.syncState()).waiting, 0);
});

test("an open form of what was erased saves nothing; a visit that had been saved is told of without a name", async () => {
  const erased = "Dữ liệu này đã được xóa theo yêu cầu. Điện thoại cũng sẽ xóa.";
  for (const [n, link] of [
    [10, refusing],
    [11, server.link],
  ] as const) {
    const [open, other] = [await form(mai, n), await form(lan, n)];
    await lan.field.recordVisit(other, "met");
    await server.office("quantri", { erase: `hamlet-napo/${household(n)}` });
    mai.serve = lan.serve = link;
    await synced(mai, lan);
    for (const [who, opened] of [
      [mai, open],
      [lan, other],
    ] as const) {
      await assert.rejects(who.field.recordVisit(opened, "met"), { code: "missing" });
      assert.equal((await who.field.syncState()).waiting, 0);
    }
    assert.deepEqual((await lan.field.syncState()).said, [erased]);
  }
});

test("what went up by plain CouchDB alone is given back to a server that lost it, once", async () => {
  const late = server.phone();
  late.serve = refusing;
  await late.field.join(invite(server.commune.users[0]), "Máy sau");
  await late.field.setPin(PIN);
  await synced(late); // no exchange has given it a position yet
  for (const [n, who, said] of [
    [1, mai, false], // what its exchange has seen, the server still has
    [2, late, true],
  ] as const) {
    who.clock.now = Date.now();
    who.serve = who === late ? refusing : server.link;
    await synced(who, lan);
    const before = (await view(lan, n)).acts.length;
    await server.keep();
    who.serve = refusing;
    await visit(who, n);
    await synced(who);
    assert.equal((await view(who, n)).where, "received");
    await server.goBack(said);
    if (said) server.confirm();
    const asked: string[] = [];
    who.serve = (one) => {
      asked.push(one.body);
      return server.link(one);
    };
    await synced(who);
    await synced(lan);
    assert.equal((await view(lan, n)).acts.length, before + 1);
    assert.ok(asked.some((body) => body.includes('"have"')));
    asked.splice(0);
    await synced(who);
    assert.ok(!asked.some((body) => body.includes('"have"')));
  }
});

test("older rows of a restored server take nothing from a phone that comes by plain CouchDB first", async () => {
  const other = server.phone();
  other.serve = refusing;
  await other.field.join(invite(server.commune.users[0]), "Máy khác");
  await other.field.setPin(PIN);
  for (const [who, said, own, theirs] of [
    [mai, false, 1, 2], // its exchange has a position
    [other, true, 3, 4], // and has never given this one any
  ] as const) {
    const way = who === mai ? server.link : refusing;
    who.serve = way;
    lan.serve = server.link;
    who.clock.now = lan.clock.now = Date.now();
    await synced(who);
    await visit(who, own);
    await visit(lan, theirs);
    await synced(who, lan, who);
    await server.keep();
    who.clock.now = lan.clock.now = Date.now() + 2_000;
    await visit(who, own);
    await visit(lan, theirs);
    await synced(lan, who);
    const before = (await view(who, own)).acts.length;
    await server.goBack(said);
    if (said) server.confirm();
    who.serve = refusing;
    await synced(who, who);
    assert.equal((await view(who, own)).acts.length, before);
    if (!said) await server.sayByHand();
    server.confirm();
    who.serve = server.link;
    await synced(who, who);
    const lost = `hamlet-napo/pledge:${server.commune.campaign}:${household(theirs)}`;
    assert.ok(server.waiting().includes(lost));
    await synced(lan);
    assert.equal((await view(lan, own)).acts.length, before);
  }
});

test("a lost record whose name a colleague gave other words is not taken for received", async () => {
  mai.serve = lan.serve = server.link;
  mai.clock.now = lan.clock.now = Date.now();
  const home = await lan.field.addHousehold("napo", { name: "Bàn Thị Chín" }); // nothing is known there
  await synced(lan, mai);
  await server.keep();
  await mai.field.recordVisit(await mai.field.openForm("napo", home), "come_back");
  mai.serve = async (asked) => {
    const answer = await refusing(asked);
    if (asked.path.endsWith("_bulk_docs")) throw new TypeError("cut"); // it arrived, and the answer did not
    return answer;
  };
  await mai.field.syncNow();
  const db = await openAccount(mai.env, (await mai.field.account())?.id ?? "");
  const lost = (await db.getAll("own")).find(({ id }) => id.endsWith(home));
  await server.goBack();
  await server.takeName(lan, lost?.id ?? "", lost?.revs ?? []);
  mai.serve = refusing;
  await synced(mai, mai);
  await synced(lan);
  const { acts } = await lan.field.household("napo", home);
  assert.deepEqual(acts.map(({ act }) => act.kind === "visit" && act.result).sort(), ["come_back", "met"]);
});

test("nor does what a phone shows give way to other words by its name", async () => {
  mai.serve = lan.serve = server.link;
  const home = await lan.field.addHousehold("napo", { name: "Bàn Thị Mười" });
  await synced(lan, mai);
  await server.keep();
  await mai.field.recordVisit(await mai.field.openForm("napo", home), "come_back");
  await synced(mai);
  const db = await openAccount(mai.env, (await mai.field.account())?.id ?? "");
  const shown = (await db.getAll("heads")).find(({ id }) => id === `pledge:antq-2026:${home}`);
  await server.goBack();
  await server.takeName(lan, shown?.id ?? "", shown?.revs ?? []);
  mai.serve = refusing;
  await synced(mai, mai);
  await synced(lan);
  const { acts } = await lan.field.household("napo", home);
  assert.deepEqual(acts.map(({ act }) => act.kind === "visit" && act.result).sort(), ["come_back", "met"]);
});
