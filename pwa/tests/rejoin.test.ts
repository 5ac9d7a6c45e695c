/** A server that was restored to before a phone had joined: what the phone keeps, and how it goes on. */
import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import type { Phone } from "./phone.ts";
import { PIN, RealServer, synced } from "./real.ts";

let server: RealServer;
before(async () => {
  server = await RealServer.start();
  await server.keep(); // both phones join after this backup
});
after(() => server.end());

const household = (n: number): string => server.commune.households.napo[n - 1] ?? "";
const form = (who: Phone, n: number) => who.field.openForm("napo", household(n));
const view = (who: Phone, n: number) => who.field.household("napo", household(n));
const invite = (user: string): string =>
  /[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}/.exec(server.camket("user", "invite", user))?.[0] ?? "";

test("a phone that joined after the backup keeps everything, and goes on by a new invitation", async () => {
  const [mai, lan] = [
    await server.enrolled(server.commune.codes[0]),
    await server.enrolled(server.commune.codes[1]),
  ];
  const sold = await server.enrolled(invite(server.commune.users[0]));
  const device = (await mai.field.account())?.id;
  await mai.field.recordVisit(await form(mai, 1), "met"); // received, and lost with the server
  await synced(mai, mai, lan);
  await mai.field.editHousehold(await form(mai, 2), { name: "Chưa gửi" });
  const bundle = await mai.field.bundle();
  await server.goBack();

  for (const _ of [1, 2]) {
    const { problem, waiting } = await mai.field.syncNow();
    assert.deepEqual([problem, waiting, await mai.field.lifecycle()], ["unknown", 1, "open"]);
  }
  await mai.field.lock();
  assert.equal((await mai.field.syncNow()).problem, "unknown");

  // by the link, as on every phone; the app was closed on the way
  const code = invite(server.commune.users[0]);
  await mai.field.join(code, "Điện thoại");
  const closed = mai.again(); // it still has the old credential: not that of a phone that was revoked
  await closed.field.unlock(PIN);
  assert.deepEqual(
    [(await closed.field.syncNow()).problem, await closed.field.lifecycle()],
    ["unknown", "open"],
  );
  const again = mai.again();
  assert.equal((await again.field.join(code, "Điện thoại")).id, device);
  assert.equal(await again.field.lifecycle(), "rejoined");
  await assert.rejects(again.field.setPin("999999"), { code: "wrong_pin" });
  await again.field.setPin(PIN);
  assert.equal(await again.field.lifecycle(), "open");
  await again.field.syncNow(); // nobody has looked whether it is that phone: it only hands in
  assert.deepEqual(server.waiting(), []);
  server.confirm();
  await synced(again, again, again);
  assert.deepEqual([(await again.field.accounts()).length, (await again.field.syncState()).waiting], [1, 0]);
  assert.equal((await view(again, 1)).where, "received");
  await assert.rejects(server.phone().field.join(code, "Máy khác"), { code: "spent_code" });

  // a colleague joins anew, on another phone: what was lost and what was never sent is there, as Mai's own
  const other = server.phone();
  await other.field.join(invite(server.commune.users[1]), "Máy mới");
  await other.field.setPin(PIN);
  await synced(other);
  assert.deepEqual([(await view(other, 1)).acts.length, (await view(other, 2)).name], [1, "Chưa gửi"]);
  assert.deepEqual(server.waiting(), []);
  // what was given out as a text before is known as hers
  assert.match(await server.handIn(bundle), / received | absorbed /);

  // a phone that has joined again, and is revoked before it has synced, is one that was revoked
  await sold.field.join(invite(server.commune.users[0]), "Máy đã bán");
  await sold.field.setPin(PIN);
  server.camket("device", "revoke", (await sold.field.account())?.id ?? "");
  await sold.field.syncNow();
  assert.equal(await sold.field.lifecycle(), "new");
});
