/** What the server has no room for now. */
import assert from "node:assert/strict";
import test from "node:test";
import { openAccount } from "../src/data/db.ts";
import { enrolled, ScriptedServer, ulidOf } from "./server.ts";

const first = ulidOf(1);

test("what the server puts off stays on the phone, holds up nothing behind it, and goes by itself another time", async () => {
  const server = await ScriptedServer.start();
  const mine = await enrolled(server, 150);
  mine.weak = true; // so that it takes several requests
  server.verdict = ({ _id }) => (String(_id).startsWith("pledge:") ? "later" : "received");
  for (let n = 1; n <= 150; n++) {
    const stroke = Array.from({ length: 120 }, (_, i) => (n * 7919 + i * i * 104_729) % 1000);
    await mine.field.recordSigned(await mine.field.openForm("na", ulidOf(n)), {
      ...{ signer: "Hoàng Văn A", role: "head", method: "touch", assisted: false, readAloud: true },
      strokes: [stroke],
    });
  }
  const before = server.requests.length;
  const put = await mine.field.syncNow();
  const sent = server.requests.slice(before);
  const docs = sent.flatMap(({ body }) => JSON.parse(body).dbs["hamlet-na"].docs as { _rev: string }[]);
  assert.ok(sent.length > 1);
  assert.deepEqual([docs.length, new Set(docs.map(({ _rev }) => _rev)).size], [300, 300]);
  assert.deepEqual(
    [put.problem, put.waiting, put.refused, put.held, put.said],
    [null, 150, 0, 0, ["Vì sao"]],
  );
  assert.equal((await mine.field.household("na", first)).where, "phone");
  const db = await openAccount(mine.env, (await mine.field.account())?.id ?? "");
  assert.equal(await db.count("outbox"), 150); // none of the pledges, and no signature is left
  server.verdict = () => "received";
  const after = await mine.field.syncNow();
  assert.deepEqual([after.problem, after.waiting, after.said], [null, 0, []]);
});

test("where one request does not hold them, refused records go up once each in a sync that was asked for", async () => {
  const server = await ScriptedServer.start();
  const count = 300;
  const mine = await enrolled(server, count);
  mine.weak = true;
  const households = Array.from({ length: count }, (_, n) => ulidOf(n + 1)).map((id) => ({
    ...{ id, signer: "Hoàng Văn Một", role: "head" as const, method: "paper_signed" as const },
  }));
  await mine.field.meeting("na", { date: "2026-03-01", sheet: 2, readAloud: true, households });
  server.verdict = () => "forbidden";
  const sync = async () => {
    const before = server.requests.length;
    const { problem, refused } = await mine.field.syncNow();
    const sent = server.requests.slice(before).map(({ body }) => {
      const { docs = [] } = JSON.parse(body).dbs["hamlet-na"] as { docs?: { _rev: string }[] };
      return docs.map(({ _rev }) => _rev);
    });
    assert.ok(sent.length > 1, "more than one request");
    assert.deepEqual([problem, refused], [null, count]);
    return sent.flat();
  };
  for (const _ of ["just refused", "refused before"]) {
    const sent = await sync();
    assert.deepEqual([sent.length, new Set(sent).size], [count, count]);
  }
});
