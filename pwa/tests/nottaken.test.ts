/** What a volunteer is told of records that went nowhere: what the commune did not take, and who was merged away. */
import assert from "node:assert/strict";
import test from "node:test";
import { isObject } from "../src/core/json.ts";
import { isAllReceived } from "../src/data/contract.ts";
import { enrolled, household, ScriptedServer, ulidOf } from "./server.ts";

const first = ulidOf(1);

test("what the server refused, and a photograph that waits, are not said to have reached it", async () => {
  const server = await ScriptedServer.start();
  const mine = await enrolled(server);
  const device = (await mine.field.account())?.id ?? "";
  const alone = () => mine.env.marks.read()[device]?.unsent;
  assert.deepEqual([isAllReceived(await mine.field.syncState()), alone()], [true, 0]);
  server.verdict = () => "forbidden";
  await mine.field.recordVisit(await mine.field.openForm("na", first), "met");
  const state = await mine.field.syncNow();
  assert.deepEqual([state.waiting, state.refused, isAllReceived(state), alone()], [0, 1, false, 1]);
  mine.metered = true;
  await mine.field.addPhoto("na", new Blob([new Uint8Array(5000)], { type: "image/webp" }));
  await mine.field.syncNow();
  assert.equal(alone(), 2, "if the storage were cleared away now");
});

test("what the commune did not take says what it was, and leaves the phone once its author has read why", async () => {
  const server = await ScriptedServer.start();
  const mine = await enrolled(server);
  await mine.field.recordSigned(await mine.field.openForm("na", first), {
    ...{ signer: "Hoàng Văn An", role: "head", method: "touch", assisted: false, readAloud: true },
    strokes: [[0, 0, 10, 10]],
  });
  const hamlet = async () => (await mine.field.hamlets()).map(({ waiting, gone }) => [waiting, gone]);
  assert.deepEqual(await hamlet(), [[1, false]]);
  // The hamlet is not this phone's any more: what it had recorded is held, and then not taken.
  const head = { clock: server.clock, dbs: ["commune"], user: {} };
  const gone = { db: "hamlet-na", gone: true };
  server.parts = (parts) => [
    head,
    ...parts.slice(1).filter((part) => isObject(part) && part.outcomes),
    gone,
    { done: true },
  ];
  server.verdict = () => "quarantined";
  const late = mine.serve;
  mine.serve = null;
  await mine.field.syncNow();
  assert.deepEqual(await hamlet(), [[1, false]]);
  mine.serve = late;
  await mine.field.syncNow();
  assert.deepEqual(await hamlet(), [], "it is held, and not unsent");
  assert.deepEqual((await mine.field.problems())[0]?.where, "held");
  server.parts = (parts, { body }) => {
    const { docs = [], waiting = [] } = JSON.parse(body).dbs["hamlet-na"] ?? {};
    const named = [...waiting, ...docs.map(({ _id, _rev }: Record<string, string>) => [_id, _rev])];
    const outcomes = named.map(([id, rev]: string[]) => [id, rev, "forbidden", "Xã không nhận."]);
    return [head, { db: "hamlet-na", outcomes }, parts.at(-1)];
  };
  await mine.field.syncNow();
  assert.equal((await mine.field.syncState()).refused, 1);
  assert.deepEqual(await hamlet(), [], "nobody walks there to correct it");
  const [problem] = await mine.field.problems();
  assert.ok(problem);
  const { name, place, act, where, reason } = problem;
  assert.deepEqual(
    [name, place, where, reason],
    ["", { kind: "thôn", name: "Nà Pò" }, "refused", "Xã không nhận."],
  );
  assert.equal(act?.kind === "signed" && act.signer, "Hoàng Văn An");
  await mine.field.dismiss(problem.hamlet, problem.doc);
  const { refused, held, waiting } = await mine.field.syncState();
  assert.deepEqual([refused, held, waiting, await mine.field.problems()], [0, 0, 0, []]);
  await mine.field.syncNow();
});

test("a household that became part of another is on no walk, and says which one that is", async () => {
  const server = await ScriptedServer.start();
  const mine = await enrolled(server);
  const [one, other] = await mine.field.households("na");
  assert.ok(one && other);
  const status = { is: "merged_into", since: "2026-03-01", into: other.id };
  server.put("hamlet-na", `household:${one.id}`, { ...household(1, one.name), status }, "2-abc", ["abc"]);
  await mine.field.syncNow();
  assert.equal((await mine.field.households("na")).length, 4);
  const { status: is, into } = await mine.field.household("na", one.id);
  assert.deepEqual([is, into], ["merged_into", { id: other.id, name: other.name }]);
});

test("a status that waits for the office hides nobody's merge", async () => {
  const server = await ScriptedServer.start();
  const mine = await enrolled(server);
  const [one, other] = await mine.field.households("na");
  assert.ok(one && other);
  const moved = { is: "moved", since: "2026-03-02" } as const;
  await mine.field.editHousehold(await mine.field.openForm("na", one.id), { status: moved });
  const status = { is: "merged_into", since: "2026-03-01", into: other.id };
  server.put("hamlet-na", `household:${one.id}`, { ...household(1, one.name), status }, "2-abc", ["abc"]);
  server.verdict = () => "quarantined";
  await mine.field.syncNow();
  const { status: is, since, into, where } = await mine.field.household("na", one.id);
  assert.deepEqual([is, since, into], ["merged_into", status.since, { id: other.id, name: other.name }]);
  assert.equal(where, "held", "and that it waits is said there still");
  assert.equal((await mine.field.households("na")).length, 4, "it is on no walk");
});

test("what was recorded upon a refused record stays when that is let go, and arrives", async () => {
  const server = await ScriptedServer.start();
  const mine = await enrolled(server);
  server.verdict = () => "forbidden";
  await mine.field.recordVisit(await mine.field.openForm("na", first), "met");
  await mine.field.syncNow();
  const [problem] = await mine.field.problems();
  assert.ok(problem);
  mine.serve = null;
  await mine.field.recordVisit(await mine.field.openForm("na", first), "come_back");
  await mine.field.dismiss(problem.hamlet, problem.doc); // on a screen that was open all the time
  assert.equal((await mine.field.syncState()).waiting, 1);
  server.verdict = () => "received";
  mine.serve = server.serve;
  await mine.field.syncNow();
  assert.deepEqual((await mine.field.household("na", first)).where, "received");
});
