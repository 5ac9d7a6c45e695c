/** A server that was restored to before a phone had joined: what the phone keeps, and how it goes on. */
import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import { PhoneField } from "../src/data/field.ts";
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

test("who has forgotten the PIN joins again all the same, once the office approves", async () => {
  const lan = await server.enrolled(invite(server.commune.users[1]));
  const device = (await lan.field.account())?.id;
  lan.serve = null;
  await lan.field.recordVisit(await form(lan, 4), "met");
  await server.goBack();
  lan.serve = server.link;

  const code = invite(server.commune.users[1]);
  const joining = lan.again();
  await joining.field.join(code, "Điện thoại");
  assert.deepEqual([await joining.field.lifecycle(), await joining.field.beside()], ["rejoined", false]);
  await joining.field.forgotPin();
  assert.equal(await joining.field.recovery(), "pending");
  server.approveRecovery();

  const again = lan.again(); // the app was closed meanwhile: the link is good until the phone has synced
  await again.field.join(code, "Điện thoại");
  assert.equal(await again.field.recovery(), "approved");
  await again.field.recover("246810");
  assert.deepEqual([await again.field.lifecycle(), (await again.field.account())?.id], ["open", device]);
  await again.field.lock();
  await again.field.unlock("246810");
  server.confirm();
  await synced(again, again);
  assert.equal((await view(again, 4)).where, "received");
});

test("what a phone recorded by a wrong clock stands on its day, also where it joins again before it syncs", async () => {
  const mai = await server.enrolled(invite(server.commune.users[0]));
  const day = new Date(mai.clock.now).toISOString().slice(0, 10);
  mai.clock.now -= 400 * 86_400_000;
  await mai.field.recordVisit(await form(mai, 5), "met");
  const again = mai.again();
  await again.field.join(invite(server.commune.users[0]), "Điện thoại");
  await again.field.setPin(PIN);
  await synced(again);
  const [visit] = (await view(again, 5)).acts;
  assert.deepEqual([visit?.where, visit?.act.at.slice(0, 10)], ["received", day]);
});

test("nobody joins while the server does not say what the account that is here is to it", async () => {
  const lan = await server.enrolled(invite(server.commune.users[1]));
  const device = (await lan.field.account())?.id;
  const code = invite(server.commune.users[1]);
  lan.serve = async (asked) =>
    asked.path === "/sealed" ? new Response("", { status: 503 }) : server.link(asked);
  await assert.rejects(lan.field.join(code, "Điện thoại"), { code: "offline" });
  lan.serve = server.link;
  assert.equal((await lan.field.join(code, "Điện thoại")).id, device);
  assert.equal((await lan.field.accounts()).length, 1);
});

test("a phone that joined again is not one that was revoked where a copy from between is put back", async () => {
  const [user] = server.commune.users;
  const mai = await server.enrolled(invite(user));
  const device = (await mai.field.account())?.id;
  await server.keep("between"); // it knows the phone by the credential that it has now
  await server.goBack();
  assert.equal((await mai.field.syncNow()).problem, "unknown");
  await mai.field.join(invite(user), "Điện thoại");
  await mai.field.setPin(PIN);
  await mai.field.recordVisit(await form(mai, 5), "met");
  await server.goBack(true, "between");

  const { problem, waiting } = await mai.field.syncNow();
  assert.deepEqual([problem, waiting, await mai.field.lifecycle()], ["unknown", 1, "open"]);
  assert.equal((await mai.field.join(invite(user), "Điện thoại")).id, device);
  await mai.field.setPin(PIN);
  server.confirm();
  await synced(mai);
  assert.equal((await view(mai, 5)).where, "received");
});

test("what an account has not sent that was not taken back goes in with the one beside it, and waits", async () => {
  const mai = await server.enrolled(invite(server.commune.users[0]));
  const old = (await mai.field.account())?.id ?? "";
  mai.serve = null;
  await mai.field.recordVisit(await form(mai, 5), "met");
  await server.goBack();
  mai.serve = server.link;

  const next = mai.again();
  await next.field.join(invite(server.commune.users[1]), "Điện thoại"); // somebody else's: it is not that account
  assert.deepEqual([await next.field.lifecycle(), await next.field.beside()], ["joined", true]);
  await next.field.setPin(PIN);
  await synced(next);
  assert.deepEqual(server.waiting(), [`hamlet-napo/pledge:${server.commune.campaign}:${household(5)}`]);
  await next.field.choose(old);
  await next.field.unlock(PIN);
  assert.deepEqual([(await view(next, 5)).where, (await next.field.syncState()).waiting], ["held", 0]);

  // the other account is well, and whose the invitation is
  const shared = await server.enrolled(invite(server.commune.users[0]));
  const device = (await shared.field.account())?.id;
  const code = invite(server.commune.users[0]);
  assert.equal(
    (await shared.field.join(code, "Điện thoại")).id,
    device,
    "a person has one account on a phone",
  );
  const closed = shared.again(); // refused with the credential that it still has, it forgets nothing
  await closed.field.unlock(PIN);
  assert.deepEqual(
    [(await closed.field.syncNow()).problem, await closed.field.lifecycle()],
    ["unknown", "open"],
  );
  await shared.field.join(code, "Điện thoại");
  await shared.field.setPin(PIN);
  await synced(shared);
  await shared.field.join(invite(server.commune.users[1]), "Điện thoại");
  assert.equal(await shared.field.beside(), false, "the other account is well");
});

test("a tab that was left open while the account joined again in another goes on as who it is by now", async () => {
  const one = await server.enrolled(invite(server.commune.users[0]));
  const two = one.again();
  await two.field.join(invite(server.commune.users[0]), "Điện thoại");
  await two.field.setPin(PIN);
  await synced(two);
  await one.field.recordVisit(await form(one, 6), "met");
  await synced(one);
  assert.equal((await view(one, 6)).where, "received");
});

test("an account that was refused and is well all the same hands in and goes once it is revoked", async () => {
  const mai = await server.enrolled(invite(server.commune.users[0]));
  await mai.field.recordVisit(await form(mai, 7), "met");
  mai.serve = (asked) =>
    asked.path === "/db/_exchange" ? new Response("", { status: 401 }) : server.link(asked);
  assert.equal((await mai.field.syncNow()).problem, "unknown");
  mai.serve = server.link;
  server.camket("device", "revoke", (await mai.field.account())?.id ?? "");
  await mai.field.syncNow();
  assert.equal(await mai.field.lifecycle(), "new");
  assert.ok(server.waiting().includes(`hamlet-napo/pledge:${server.commune.campaign}:${household(7)}`));
});

test("what a person has not sent goes in from a phone that was passed on, after the next one's own", async () => {
  const both = await server.enrolled(invite(server.commune.users[0]));
  both.serve = null;
  await both.field.recordVisit(await form(both, 8), "met");
  both.serve = server.link;
  await both.field.join(invite(server.commune.users[1]), "Điện thoại");
  await both.field.setPin("246810");
  let woken = 0;
  await new PhoneField({ ...both.env, wake: () => woken++ }).hidden();
  await synced(both, both);
  assert.deepEqual([woken, (await view(both, 8)).acts.length], [1, 1]);
});
