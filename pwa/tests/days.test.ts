/** Days are those of the place: at five in the morning in Việt Nam, UTC is still at the day before. */
import assert from "node:assert/strict";
import test from "node:test";
import { readOne, type Session, shown } from "../src/data/records.ts";
import type { Phone } from "./phone.ts";
import { enrolled, ScriptedServer } from "./server.ts";

process.env.TZ = "Asia/Ho_Chi_Minh";
const FIVE = Date.parse("2026-03-31T22:00:00Z");

async function statusOf(mine: Phone, id: string): Promise<unknown> {
  const { session } = mine.field as unknown as { session: Session };
  const found = await readOne(session, "hamlet-na", id);
  return found && shown(found)?.body.status;
}

test("a household and a unit added at five in the morning are there from that day on", async () => {
  const mine = await enrolled(await ScriptedServer.start());
  mine.serve = null;
  mine.clock.now = FIVE;
  const home = await mine.field.addHousehold("na", { name: "Nông Thị Hoa" });
  assert.deepEqual(await statusOf(mine, `household:${home}`), { is: "resident", since: "2026-04-01" });
  const facts = { name: "Trường Nà Pò", kind: "school", inScope: true, place: {} } as const;
  const unit = await (await mine.field.registers()).addUnit("na", facts);
  assert.deepEqual(await statusOf(mine, `unit:${unit}`), { is: "active", since: "2026-04-01" });
});

test("the bytes of a month are counted from its first morning", async () => {
  const mine = await enrolled(await ScriptedServer.start());
  const march = (await mine.field.syncState()).bytesThisMonth;
  assert.ok(march > 0);
  mine.clock.now = FIVE;
  assert.equal((await mine.field.syncState()).bytesThisMonth, 0);
  await mine.field.syncNow();
  const april = (await mine.field.syncState()).bytesThisMonth;
  mine.clock.now += 7 * 3_600_000; // by then it is April everywhere
  assert.ok(april > 0);
  assert.equal((await mine.field.syncState()).bytesThisMonth, april);
});
