/** A phone that the office took off its list: what it hands in, what it keeps, and whose account goes. */
import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import type { Phone, Serve } from "./phone.ts";
import { PIN, RealServer, synced } from "./real.ts";

let server: RealServer;
before(async () => {
  server = await RealServer.start();
});
after(() => server.end());

const household = (n: number): string => server.commune.households.napo[n - 1] ?? "";
const pledge = (n: number) => `hamlet-napo/pledge:${server.commune.campaign}:${household(n)}`;
const form = (who: Phone, n: number) => who.field.openForm("napo", household(n));
const device = async (who: Phone) => (await who.field.account())?.id ?? "";
const invite = (n: 0 | 1): string =>
  /[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}/.exec(
    server.camket("user", "invite", server.commune.users[n]),
  )?.[0] ?? "";
const revoke = (id: string) => server.camket("device", "revoke", id);

/** The link; `meanwhile` happens while the last answer of the drop box is on its way. */
const whileAsked = (meanwhile: () => Promise<unknown>): Serve => {
  let asked = 0;
  return async (one) => {
    const answer = await server.link(one);
    if (one.path === "/sealed" && ++asked === 2) await meanwhile();
    return answer;
  };
};

test("an invitation that was opened in two tabs revokes nobody: the account that was replaced goes, and says which it is", async () => {
  const heard: string[] = [];
  const [first, second] = [server.phone(), server.phone()];
  first.field.onChange((change) => heard.push(change));
  for (const revoked of [false, true]) {
    const code = invite(1);
    await first.field.join(code, "Một tab");
    if (!revoked) await second.field.join(code, "Tab kia");
    await first.field.setPin(PIN);
    if (revoked) {
      await synced(first);
      revoke(await device(first));
    }
    await first.field.syncNow();
    assert.equal(await first.field.lifecycle(), "new");
    assert.equal(heard.splice(0).includes("replaced"), !revoked);
  }
});

test("of a phone of two people the account goes that was revoked, whoever has it in hand by then", async () => {
  const both = await server.enrolled(server.commune.codes[0]);
  const mai = await device(both);
  await both.field.join(server.commune.codes[1], "Điện thoại");
  await both.field.setPin("246810");
  await synced(both);
  const lan = await device(both);
  both.serve = null;
  await both.field.recordVisit(await form(both, 1), "met");
  await both.field.choose(mai);
  await both.field.unlock(PIN);
  revoke(mai);
  both.serve = whileAsked(async () => {
    await both.field.lock();
    await both.field.choose(lan);
    await both.field.unlock("246810");
  });
  const { problem, waiting } = await both.field.syncNow();
  assert.deepEqual([problem, waiting, await device(both)], [null, 1, lan]);
  both.serve = server.link;
  const again = both.again();
  await again.field.choose(mai);
  await again.field.unlock(PIN);
  await again.field.syncNow();
  assert.deepEqual(
    (await again.field.accounts()).map(({ id }) => id),
    [lan],
  );
  await again.field.unlock("246810");
  await synced(again);
  assert.equal((await again.field.household("napo", household(1))).where, "received");
});

test("what is saved while a revoked phone is asked for the last time goes in before it forgets", async () => {
  const mai = await server.enrolled(invite(0));
  const open = await form(mai, 2);
  revoke(await device(mai));
  mai.serve = whileAsked(() => mai.field.recordVisit(open, "met"));
  assert.deepEqual([(await mai.field.syncNow()).waiting, await mai.field.lifecycle()], [1, "open"]);
  const late = await form(mai, 2);
  const other = mai.again(); // another tab, which dies while it removes the account
  await other.field.unlock(PIN);
  Object.assign(other.env.marks, { write: () => assert.fail("killed") });
  await other.field.syncNow().catch(() => {});
  assert.ok(server.waiting().includes(pledge(2)));
  await assert.rejects(mai.field.recordVisit(late, "met"), { code: "not_saved" });
  assert.equal(await mai.again().field.lifecycle(), "new");
});

test("a record that was refused is handed in once more, and named, before a revoked phone forgets it", async () => {
  const mai = await server.enrolled(invite(0));
  const status = { is: "merged_into", since: "2026-03-01", into: household(4) } as const;
  await mai.field.editHousehold(await form(mai, 3), { status });
  assert.equal((await mai.field.syncNow()).refused, 1);
  revoke(await device(mai));
  const told: string[] = [];
  const link = (half: boolean): Serve => {
    return async (asked) => {
      const answer = await server.link(asked);
      if (asked.path !== "/sealed" || !asked.body.includes("\n", asked.body.indexOf("\n") + 1)) return answer;
      const whole = (await answer.json()) as { receipts: { is: string }[] };
      told.push(...whole.receipts.map(({ is }) => is));
      return Response.json(half ? { ...whole, receipts: [] } : whole);
    };
  };
  mai.serve = link(true);
  await mai.field.syncNow();
  assert.deepEqual([told.length, await mai.field.lifecycle()], [1, "open"], "the server has not named it");
  mai.serve = link(false);
  await mai.field.syncNow();
  assert.deepEqual([told.length, await mai.field.lifecycle()], [2, "new"]);
});

test("a phone that is revoked once a server was restored gives back what that has lost", async () => {
  const [mai, lan] = [await server.enrolled(invite(0)), await server.enrolled(invite(1))];
  await server.keep();
  await mai.field.recordVisit(await form(mai, 5), "met"); // nothing of it is left on the phone but the winner
  await synced(mai, mai);
  await lan.field.recordVisit(await form(lan, 6), "met");
  await lan.field.lock(); // received sealed, and no row has shown it yet
  await lan.field.syncNow();
  await lan.field.unlock(PIN);
  await server.goBack();
  let exchanges = 0;
  lan.serve = (asked) => {
    if (asked.path === "/db/_exchange" && ++exchanges > 1) throw new TypeError("the link broke");
    return server.link(asked);
  };
  assert.equal((await lan.field.syncNow()).waiting, 1, "the server has just asked for it");
  lan.serve = server.link;
  for (const one of [mai, lan]) {
    revoke(await device(one));
    await one.field.syncNow();
    assert.equal(await one.field.lifecycle(), "new");
  }
  const waiting = server.waiting();
  assert.ok(waiting.includes(pledge(5)) && waiting.includes(pledge(6)), waiting.join());
});

test("what the server will not take of a colleague's account stops nothing of the one in front", async () => {
  const both = await server.enrolled(invite(0));
  both.serve = null;
  await both.field.recordVisit(await form(both, 5), "met");
  let refused = 0;
  both.serve = async (one) => {
    if (one.path !== "/sealed" || one.body.trim().split("\n").length < 2) return server.link(one);
    refused += 1;
    return Response.json({ error: "bad_request", reason: "No." }, { status: 400 });
  };
  await both.field.join(invite(1), "Điện thoại");
  await both.field.setPin("246810");
  await both.field.syncNow();
  await both.field.recordVisit(await form(both, 6), "met");
  const { problem, waiting } = await both.field.syncNow();
  assert.deepEqual([problem, waiting], [null, 0]);
  assert.ok(refused > 0);
});
