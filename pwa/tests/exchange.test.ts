/** Phones and a real server process, over HTTP. */
import assert from "node:assert/strict";
import test from "node:test";
import type { Signing } from "../src/data/contract.ts";
import { openAccount } from "../src/data/db.ts";
import type { Phone, Serve } from "./phone.ts";
import { PIN, synced, twoPhones } from "./real.ts";

const ON_PAPER: Signing = {
  ...{ signer: "Hoàng Văn Một", role: "head", method: "paper_signed", assisted: false, readAloud: true },
};

const { server, mai: first, lan } = await twoPhones();
let mai = first; // until it is opened anew

/** The nth household of Nà Pò: each test uses its own. */
const household = (n: number): string => server.commune.households.napo[n - 1] ?? "";
const form = (who: Phone, n: number) => who.field.openForm("napo", household(n));
const view = (who: Phone, n: number) => who.field.household("napo", household(n));

test("a phone that joins holds its hamlet and nobody else's", async () => {
  const hamlets = await mai.field.hamlets();
  assert.deepEqual(
    hamlets.map(({ id, name, total }) => [id, name, total]),
    [["napo", "Nà Pò", 12]],
  );
  assert.deepEqual((await mai.field.clauses(1))?.items, ["Không đốt pháo.", "Giữ an toàn về lửa."]);
});

test("an invitation is good for one phone", async () => {
  const other = server.phone();
  await assert.rejects(other.field.join(server.commune.codes[0], "Máy khác"), { code: "spent_code" });
  await assert.rejects(other.field.join("0000000000", "Máy khác"), { code: "bad_code" });
});

test("a pledge with a drawn signature reaches the server, and a colleague", async () => {
  const drawn: Signing = { ...ON_PAPER, method: "touch", strokes: [[10, 10, 500, 500, 990, 10]] };
  await mai.field.recordSigned(await form(mai, 1), drawn);
  assert.equal((await view(mai, 1)).where, "phone");
  await synced(mai, lan);
  const mine = await view(mai, 1);
  assert.deepEqual([mine.outcome, mine.where, mine.reason], ["signed", "received", null]);
  assert.equal((await view(lan, 1)).outcome, "signed");
  const db = await openAccount(mai.env, (await mai.field.account())?.id ?? "");
  assert.deepEqual([await db.count("own"), await db.count("outbox")], [0, 0]);
});

test("two phones that record one household offline come to the same, with both visits", async () => {
  await mai.field.recordVisit(await form(mai, 2), "nobody_home");
  await lan.field.recordSigned(await form(lan, 2), ON_PAPER);
  await lan.field.editHousehold(await form(lan, 2), { name: "Hoàng Văn Hai", place: { house: "12" } });
  await mai.field.editHousehold(await form(mai, 2), { order: 25 });
  await synced(mai, lan, mai);
  const [one, two] = [await view(mai, 2), await view(lan, 2)];
  assert.deepEqual({ ...one, acts: [] }, { ...two, acts: [] });
  assert.deepEqual(
    one.acts.map(({ act }) => act),
    two.acts.map(({ act }) => act),
  );
  assert.deepEqual([one.name, one.place, one.order], ["Hoàng Văn Hai", { house: "12" }, 25]);
  assert.deepEqual([one.outcome, one.acts.length, one.where], ["signed", 2, "received"]);
});

test("whose value lost against a later one is told, until it was seen", async () => {
  await mai.field.editHousehold(await form(mai, 10), { name: "Tên của Mai" });
  lan.clock.now = mai.clock.now + 1000;
  await lan.field.editHousehold(await form(lan, 10), { name: "Tên của Lan" });
  await synced(lan, mai);
  const lost = await view(mai, 10);
  assert.deepEqual([lost.name, lost.overruled], ["Tên của Lan", ["name"]]);
  assert.deepEqual((await view(lan, 10)).overruled, []);
  await mai.field.seen("napo", `household:${household(10)}`);
  assert.deepEqual((await view(mai, 10)).overruled, []);
});

test("whose value won first and lost to one that was written offline is told too, with what is kept and why", async () => {
  const of = `household:${household(9)}`;
  await mai.field.editHousehold(await form(mai, 9), { name: "Tên của Mai", place: { lane: "Ngõ 9" } });
  await synced(mai);
  assert.deepEqual((await view(mai, 9)).overruled, []);
  lan.clock.now = mai.clock.now + 1000; // she has not synced since
  await lan.field.editHousehold(await form(lan, 9), { name: "Tên của Lan" });
  await synced(lan, mai);
  const told = await (await mai.field.registers()).overruled("napo", of);
  assert.deepEqual(told, [
    { field: "name", item: null, mine: "Tên của Mai", kept: "Tên của Lan", why: "colleague" },
  ]);
  const problems = (await mai.field.problems()).filter(({ where }) => where === "overruled");
  assert.deepEqual(
    problems.map(({ kind, id }) => [kind, id]),
    [["household", household(9)]],
  );
  // the value comes back: there is nothing to tell any more
  await lan.field.editHousehold(await form(lan, 9), { name: "Tên của Mai" });
  await synced(lan, mai);
  assert.deepEqual(await (await mai.field.registers()).overruled("napo", of), []);
  assert.deepEqual((await view(mai, 9)).overruled, []);
});

test("a form that was open during a sync undoes nothing", async () => {
  const opened = await form(mai, 3);
  await lan.field.editHousehold(await form(lan, 3), { name: "Tên mới" });
  await synced(lan, mai);
  await mai.field.editHousehold(opened, { place: { lane: "Ngõ 2" } });
  await synced(mai, lan);
  for (const who of [mai, lan]) {
    const { name, place } = await view(who, 3);
    assert.deepEqual([name, place], ["Tên mới", { lane: "Ngõ 2" }]);
  }
});

test("a phone whose clock runs two hours ahead is put right, and its record enters", async () => {
  const hours = 2 * 3_600_000;
  mai.clock.now = Date.now() + hours;
  await mai.field.recordVisit(await form(mai, 4), "met");
  await synced(mai);
  const [visit] = (await view(mai, 4)).acts;
  assert.equal(visit?.where, "received");
  assert.ok(Math.abs(Date.parse(visit?.act.at ?? "") - Date.now()) < 60_000, visit?.act.at);
  mai.clock.now = Date.now();
  await synced(mai);
});

test("an act that is not one's own is not voided: the rule's reason comes back in Vietnamese", async () => {
  await lan.field.recordVisit(await form(lan, 5), "come_back");
  await synced(lan, mai);
  const opened = await form(mai, 5);
  await assert.rejects(mai.field.voidAct(opened, opened.shown.acts[0]?.act.id ?? ""), { code: "not_yours" });
});

test("a locked phone hands in what it sealed, and shows it received once it is opened", async () => {
  mai.serve = null;
  await mai.field.recordSigned(await form(mai, 6), ON_PAPER);
  const locked = mai.again();
  locked.clock.now = Date.now();
  locked.serve = server.link;
  assert.equal(await locked.field.lifecycle(), "locked");
  const state = await locked.field.syncNow();
  assert.deepEqual([state.problem, state.waiting], [null, 0]);
  await synced(lan);
  assert.equal((await view(lan, 6)).outcome, "signed");
  await locked.field.unlock(PIN);
  await synced(locked);
  const opened = await view(locked, 6);
  assert.deepEqual([opened.outcome, opened.where, opened.acts.length], ["signed", "received", 1]);
  mai = locked;
});

test("what was answered survives a server that is killed", async () => {
  await mai.field.recordVisit(await form(mai, 7), "met");
  await synced(mai);
  await server.kill();
  assert.equal((await mai.field.syncNow()).problem, "offline");
  await server.up();
  await synced(mai, lan);
  assert.equal((await view(lan, 7)).outcome, "met");
});

test("without the exchange the same records travel by plain CouchDB, and the two ways mix", async () => {
  const plain: Serve = (asked) =>
    asked.path === "/db/_exchange"
      ? new Response('{"error":"not_found"}', { status: 404 })
      : server.link(asked);
  mai.serve = plain;
  await mai.field.recordSigned(await form(mai, 8), ON_PAPER);
  await lan.field.editHousehold(await form(lan, 8), { name: "Lý Văn Tám" });
  await synced(lan, mai, lan);
  for (const who of [mai, lan]) {
    const { name, outcome, where } = await view(who, 8);
    assert.deepEqual([name, outcome, where], ["Lý Văn Tám", "signed", "received"]);
  }
  mai.serve = server.link;
  await mai.field.recordVisit(await form(mai, 8), "met");
  await synced(mai, lan);
  assert.equal((await view(lan, 8)).acts.length, 2);
});

test("a record whose receipt was lost may be built upon: the server has both acts, once", async () => {
  await mai.field.recordVisit(await form(mai, 12), "nobody_home");
  mai.serve = async (asked) => {
    await (await server.link(asked)).text();
    throw new TypeError("the link broke before the answer");
  };
  assert.equal((await mai.field.syncNow()).problem, "offline");
  assert.equal((await view(mai, 12)).where, "phone");
  mai.clock.now += 1000;
  await mai.field.recordVisit(await form(mai, 12), "come_back");
  mai.serve = server.link;
  await synced(mai, lan);
  const results = (await view(lan, 12)).acts.map(({ act }) => act.kind === "visit" && act.result);
  assert.deepEqual(results, ["nobody_home", "come_back"]);
  assert.equal((await view(mai, 12)).where, "received");
});

test("a meeting of many households travels in one request", async () => {
  const households = [9, 10, 11].map((n) => ({
    ...{ id: household(n), signer: `Hoàng Văn ${n}`, role: "head" as const, method: "paper_signed" as const },
  }));
  await mai.field.meeting("napo", { date: "2026-03-01", sheet: 2, readAloud: true, households });
  let requests = 0;
  mai.serve = (asked) => {
    requests += 1;
    return server.link(asked);
  };
  await synced(mai);
  mai.serve = server.link;
  assert.equal(requests, 1);
  await synced(lan);
  assert.equal((await view(lan, 11)).outcome, "signed");
});

test("a forgotten PIN comes back over the office, and the data with it", async () => {
  await mai.field.lock();
  await mai.field.forgotPin();
  assert.equal(await mai.field.recovery(), "pending");
  server.approveRecovery();
  assert.equal(await mai.field.recovery(), "approved");
  await mai.field.recover("97531975");
  assert.equal((await view(mai, 1)).outcome, "signed");
});

test("what staff had written, and files put back without a word would not take, goes up once that is said", async () => {
  await server.keep(); // the first here: from the next test on this server knows that it was restored
  const write = { "hamlet-napo": { [`household:${household(7)}`]: { name: "Lò Văn Đã Sửa" } } };
  await server.office("quantri", { write });
  await synced(lan);
  await server.goBack(false);
  await synced(lan);
  const db = await openAccount(lan.env, (await lan.field.account())?.id ?? "");
  assert.deepEqual(
    (await db.getAll("own")).map(({ id, state }) => [id, state]),
    [[`household:${household(7)}`, "refused"]],
  );
  await server.sayByHand();
  await synced(lan);
  await server.office("quantri", { quarantine: "release" });
  await synced(mai, lan);
  for (const who of [mai, lan]) assert.equal((await view(who, 7)).name, "Lò Văn Đã Sửa");
  assert.equal(await db.count("own"), 0);
});

test("a server that lost its last day gets it back from the phones", async () => {
  await synced(mai, lan);
  await server.keep();
  const add = (who: Phone, name: string) => who.field.addHousehold("napo", { name });
  const [hers, his] = [await add(mai, "Nông Thị Hoa"), await add(lan, "Vi Văn Bảo")];
  await mai.field.recordVisit(await form(mai, 4), "come_back");
  await synced(mai, lan, mai);
  await server.goBack();
  let told = false;
  mai.serve = (asked) => {
    told ||= asked.body.includes('"have":[[');
    return server.link(asked);
  };
  await synced(mai);
  assert.ok(told, "the phone was asked what it has");
  await synced(lan, mai, lan);
  for (const who of [mai, lan]) {
    const rows = await who.field.households("napo");
    assert.deepEqual(
      [hers, his].map((id) => rows.find((row) => row.id === id)?.name),
      ["Nông Thị Hoa", "Vi Văn Bảo"],
    );
    const results = (await view(who, 4)).acts.map(({ act }) => act.kind === "visit" && act.result);
    assert.deepEqual(results.sort(), ["come_back", "met"]);
    assert.deepEqual(await who.field.problems(), []);
  }
});

test("what was lost comes back though a colleague gave its name other words first", async () => {
  const home = await mai.field.addHousehold("napo", { name: "Bàn Thị Chín" }); // nothing is known there
  await synced(mai, lan);
  await server.keep();
  const id = `pledge:antq-2026:${home}`;
  await mai.field.recordVisit(await mai.field.openForm("napo", home), "come_back");
  await synced(mai, lan, mai);
  await server.goBack();
  const db = await openAccount(lan.env, (await lan.field.account())?.id ?? "");
  await server.takeName(lan, id, (await db.get("heads", ["hamlet-napo", id]))?.revs ?? []);
  await synced(mai, lan, mai);
  for (const who of [mai, lan]) {
    const { acts } = await who.field.household("napo", home);
    const results = acts.map(({ act }) => act.kind === "visit" && act.result);
    assert.deepEqual(results.sort(), ["come_back", "met"]);
  }
});

test("what a restored server knows by name alone goes up again, though the winner was built upon it", async () => {
  await server.keep();
  await mai.field.editHousehold(await form(mai, 5), { name: "Lò Văn Đã Mất" });
  await synced(mai, lan);
  await lan.field.editHousehold(await form(lan, 5), { name: "Lò Văn Mới" });
  await server.goBack();
  const sent: string[] = [];
  lan.serve = (asked) => {
    if (asked.body.includes("Đã Mất")) sent.push(asked.path);
    return server.link(asked);
  };
  await synced(lan, lan, mai);
  assert.deepEqual(sent, ["/db/_exchange"]);
  for (const who of [mai, lan]) assert.equal((await view(who, 5)).name, "Lò Văn Mới");
});

test("what was received sealed goes up again to a server that lost it, though it was built upon here", async () => {
  await server.keep();
  await lan.field.editHousehold(await form(lan, 6), { name: "Lò Văn Niêm Phong" });
  await lan.field.lock();
  await lan.field.syncNow();
  await lan.field.unlock(PIN);
  assert.equal((await view(lan, 6)).where, "received");
  await server.goBack();
  await lan.field.editHousehold(await form(lan, 6), { name: "Lò Văn Sau" });
  const sent: string[] = [];
  lan.serve = (asked) => {
    if (asked.body.includes("Niêm Phong")) sent.push(asked.path);
    return server.link(asked);
  };
  await synced(lan, lan, mai);
  assert.deepEqual(sent, ["/db/_exchange"]);
  for (const who of [mai, lan]) assert.equal((await view(who, 6)).name, "Lò Văn Sau");
});

test("a phone that was revoked hands in what it has, and forgets it", async () => {
  await lan.field.recordVisit(await form(lan, 12), "met");
  const device = (await lan.field.account())?.id ?? "";
  server.camket("device", "revoke", device);
  await lan.field.syncNow();
  assert.equal(await lan.field.lifecycle(), "new");
  assert.deepEqual(await lan.field.accounts(), []);
});
