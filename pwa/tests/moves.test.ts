/** Households that move and hamlets that merge while phones are out: nothing unsent is lost, and the lists follow. */
import assert from "node:assert/strict";
import test from "node:test";
import { openAccount } from "../src/data/db.ts";
import type { Phone } from "./phone.ts";
import { PIN, RealServer, synced, twoPhones } from "./real.ts";

const { server, mai, lan } = await twoPhones();

const household = (n: number): string => server.commune.households.napo[n - 1] ?? "";
const hamlet = (...words: string[]) => server.camket("hamlet", ...words, "--yes");

/** Where a phone shows a household, by hamlet. */
async function shownIn(who: Phone, id: string): Promise<string[]> {
  const found: string[] = [];
  for (const { id: place } of await who.field.hamlets())
    if ((await who.field.households(place)).some((row) => row.id === id)) found.push(place);
  return found;
}

async function unsent(who: Phone): Promise<[string, string][]> {
  const db = await openAccount(who.env, (await who.field.account())?.id ?? "");
  return (await db.getAll("own")).map(({ id, state }) => [id, state]);
}

test("an unsent visit at a household that moved goes after it, from a phone that holds the old hamlet only", async () => {
  const open = await mai.field.openForm("napo", household(1));
  await mai.field.recordVisit(open, "nobody_home");
  hamlet("move", "napo", "khuoilan", "--household", household(1), "--no-people");
  await synced(mai);
  assert.deepEqual(await unsent(mai), []);
  assert.deepEqual(await shownIn(mai, household(1)), []);
  assert.deepEqual((await mai.field.syncState()).said, [
    "Xã đã nhận phiếu bác gửi, và đã chuyển sang thôn Khuổi Lạn.",
  ]);
  // A form that was open all the time: what has moved is not what was erased.
  await mai.field.keepDraft(`edit/${household(1)}`, { house: "7" });
  await mai.field.editHousehold(open, { place: { house: "7" } });
  await synced(mai);
  assert.deepEqual(await unsent(mai), []);
});

test("a phone that holds both shows it under the new hamlet, where its open screen goes on", async () => {
  const before = await lan.field.household("napo", household(2));
  const open = await lan.field.openForm("napo", household(2));
  hamlet("move", "napo", "khuoilan", "--household", household(2));
  await synced(lan);
  await synced(lan);
  assert.deepEqual(await shownIn(lan, household(2)), ["khuoilan"]);
  assert.deepEqual(await shownIn(lan, household(1)), ["khuoilan"]);
  const view = await lan.field.household("napo", household(2));
  assert.deepEqual([view.hamlet, view.name, view.order], ["khuoilan", before.name, before.order]);
  await lan.field.recordVisit(open, "met"); // a form that was open all the time
  await lan.field.recordVisit(await lan.field.openForm("napo", household(2)), "come_back");
  await synced(lan);
  const acts = (await lan.field.household("khuoilan", household(2))).acts;
  assert.deepEqual(acts.map(({ act, where }) => [act.kind === "visit" && act.result, where]).sort(), [
    ["come_back", "received"],
    ["met", "received"],
  ]);
  assert.deepEqual(await unsent(lan), []);
});

test("the visit that was made before the move is at the new place", async () => {
  const { acts } = await lan.field.household("khuoilan", household(1));
  assert.deepEqual(
    acts.map(({ act }) => act.kind === "visit" && act.result),
    ["nobody_home"],
  );
});

test("a household that returns is back on the phones", async () => {
  hamlet("move", "khuoilan", "napo", "--household", household(2));
  await synced(lan);
  assert.deepEqual(await shownIn(lan, household(2)), ["napo"]);
  await lan.field.recordVisit(await lan.field.openForm("napo", household(2)), "nobody_home");
  await synced(lan);
  assert.equal((await lan.field.household("napo", household(2))).acts.length, 3);
});

test("a new household and an unsent visit of a hamlet that merged away arrive, and its name goes", async () => {
  const [open, other] = await Promise.all([6, 5].map((n) => mai.field.openForm("napo", household(n))));
  assert.ok(open && other);
  const born = await mai.field.addHousehold("napo", { name: "Nông Thị Mới", place: {}, after: household(3) });
  await mai.field.recordVisit(await mai.field.openForm("napo", household(4)), "met");
  mai.serve = null; // out of reach while it happens
  hamlet("merge", "napo", "khuoilan");
  assert.equal((await mai.field.syncNow()).problem, "offline");
  assert.deepEqual(await shownIn(mai, born), ["napo"]);
  mai.serve = server.link;
  await synced(mai);
  await synced(mai);
  assert.deepEqual(
    (await mai.field.hamlets()).map(({ id, total }) => [id, total]),
    [["khuoilan", 25]],
  );
  assert.deepEqual(await shownIn(mai, born), ["khuoilan"]);
  const { acts } = await mai.field.household("napo", household(4));
  assert.deepEqual(
    acts.map(({ where }) => where),
    ["received"],
  );
  assert.deepEqual(await unsent(mai), []);
  await mai.field.recordVisit(open, "met"); // a form that was open all the time
  assert.equal((await unsent(mai)).length, 1);
  await synced(mai);
  assert.deepEqual(await unsent(mai), []);
  await mai.field.recordVisit(other, "met"); // and one whose record goes by plain CouchDB
  mai.serve = (asked) =>
    asked.path === "/db/_exchange" ? new Response(null, { status: 404 }) : server.link(asked);
  await synced(mai);
  assert.deepEqual(await unsent(mai), []);
  const db = await openAccount(mai.env, (await mai.field.account())?.id ?? "");
  assert.deepEqual(
    (await db.getAll("heads")).filter((head) => head.db === "hamlet-napo"),
    [],
  );
  mai.serve = server.link;
});

test("what a phone records for a hamlet that is not its own any more waits for the office, and says so", async () => {
  await lan.field.syncNow();
  await lan.field.recordVisit(await lan.field.openForm("khuoilan", household(5)), "met");
  await server.take(server.commune.users[1]);
  await synced(lan);
  const [problem] = await lan.field.problems();
  assert.deepEqual(await unsent(lan), [[`pledge:${server.commune.campaign}:${household(5)}`, "held"]]);
  assert.match(problem?.reason ?? "", /chờ cán bộ xã xem xét/);
  assert.deepEqual(await lan.field.hamlets(), []);
});

test("what a server would not take back of others' work is offered again, though its hamlet had merged away since", async () => {
  const other = await RealServer.start();
  try {
    const phone = other.phone();
    await phone.field.join(other.commune.codes[0], "Điện thoại");
    await phone.field.setPin(PIN);
    await other.keep();
    const [home = ""] = other.commune.households.napo;
    const write = { "hamlet-napo": { [`household:${home}`]: { name: "Lò Văn Đã Sửa" } } };
    await other.office("quantri", { write });
    await synced(phone);
    await other.goBack(false);
    other.camket("hamlet", "merge", "napo", "khuoilan", "--yes");
    await synced(phone);
    assert.deepEqual(
      (await unsent(phone)).map(([id]) => id),
      [`household:${home}`],
    );
    assert.deepEqual(
      (await phone.field.hamlets()).map(({ id }) => id),
      ["khuoilan"],
    );
    await other.goBack();
    await synced(phone);
    assert.deepEqual(await unsent(phone), []); // it waits at the office, though its hamlet had no position to lose
  } finally {
    await other.end();
  }
});

test("a server that was restored to before a merge gets back what it had acknowledged since", async () => {
  const other = await RealServer.start();
  try {
    const phone = await other.enrolled(other.commune.codes[0]);
    await other.keep();
    other.camket("hamlet", "merge", "napo", "khuoilan", "--yes");
    await synced(phone);
    await synced(phone);
    const [home = ""] = other.commune.households.napo;
    await phone.field.recordVisit(await phone.field.openForm("khuoilan", home), "met");
    await synced(phone);
    assert.equal((await phone.field.household("khuoilan", home)).acts[0]?.where, "received");
    await other.goBack();
    await synced(phone);
    await synced(phone);
    assert.deepEqual(
      (await phone.field.hamlets()).map(({ id }) => id),
      ["napo"],
    );
    assert.deepEqual(other.waiting(), []); // it enters where the household lives
    assert.equal((await phone.field.household("napo", home)).acts[0]?.where, "received");
    const db = await openAccount(phone.env, (await phone.field.account())?.id ?? "");
    const left = async () =>
      (await db.getAll("heads")).filter((head) => head.db === "hamlet-napo" && head.page === null);
    other.camket("hamlet", "move", "napo", "khuoilan", "--household", home, "--yes");
    await synced(phone);
    assert.equal((await left()).length, 2); // the household, and its pledge
    await other.goBack();
    await synced(phone);
    await synced(phone);
    assert.deepEqual(await left(), []); // nothing has left it, as the server knows it
    assert.deepEqual(await shownIn(phone, home), ["napo"]);
    await phone.field.recordVisit(await phone.field.openForm("napo", home), "met");
    await synced(phone);
    await other.goBack();
    other.camket("hamlet", "move", "napo", "khuoilan", "--household", home, "--yes");
    await synced(phone);
    await synced(phone);
    const shown = (await db.getAll("heads")).filter(({ id, page }) => id.includes(home) && page !== null);
    assert.deepEqual(new Set(shown.map((one) => one.db)), new Set(["hamlet-khuoilan"]));
  } finally {
    await other.end();
  }
});
