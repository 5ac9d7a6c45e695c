/**
 * Joining on a phone that has accounts already: a person has one on a phone, which goes on as the one that it was, also
 * where the server does not know it any more, since it was restored to before that had joined. It keeps its id, its PIN
 * and all that it has, and gives the server back what that has lost as every phone does.
 */
import {
  accounts,
  type Before,
  type Joined,
  join as joinAs,
  keysFor,
  keysOfAccount,
  putInFront,
  rawKey,
} from "./accounts.ts";
import { newDatabase } from "./commit.ts";
import { FieldError } from "./contract.ts";
import { dataKey } from "./crypto.ts";
import { type AccountDb, meta, openAccount, type SyncNote, stored, write } from "./db.ts";
import type { Env } from "./env.ts";
import { handIn, isStrange, noteProblem, standing } from "./handin.ts";
import { NoLink } from "./link.ts";
import type { Session } from "./records.ts";

/** Redeems an invitation, for a new account or for one that is here. Raises FieldError as `accounts.join` does. */
export async function join(env: Env, code: string, deviceName: string): Promise<Joined> {
  const before: Before[] = [];
  let strange = false;
  for (const { id, user } of await accounts(env)) {
    const db = await openAccount(env, id);
    try {
      const [keys, note] = await Promise.all([meta(db, "keys"), meta(db, "sync")]);
      if (!keys) continue;
      // Joined without knowing, the person would have two accounts, and what the first has not sent would stay there.
      const known = note?.unknown
        ? "strange"
        : await standing({ env, db }).then(
            ({ is }) => is,
            () => null,
          );
      if (known === null) throw new FieldError("offline");
      if (known === "revoked") continue;
      before.push({ send: keys.send, user: user.id, name: user.name });
      if (known === "live") continue;
      // What it has not sent goes in with another account, where the server does not take it back as this one.
      await stored(noteProblem(db, "unknown", true));
      strange = true;
    } finally {
      db.close();
    }
  }
  const joined = await joinAs(env, code, deviceName, before);
  return { ...joined, beside: strange && !joined.again };
}

/**
 * What the other accounts of this phone have not sent: nobody may open them again, where a phone was passed on. Each hands
 * in as itself; of one that the server does not know any more, and has not taken back, the one in front carries it, and
 * it waits at the office. What goes wrong with one stops nobody else's. Raises NoLink.
 */
export async function handInOthers(env: Env): Promise<void> {
  const [front, ...others] = await accounts(env);
  if (!front || others.length === 0) return;
  const send = await withAccount(env, front.id, async (db) => (await meta(db, "keys"))?.send);
  for (const { id } of others)
    await withAccount(env, id, async (db) => {
      if ((await db.count("outbox")) === 0) return;
      if (!(await meta(db, "sync"))?.unknown)
        try {
          await handIn({ env, db });
          return;
        } catch (error) {
          if (!isStrange(error)) throw error;
          await noteProblem(db, "unknown", true);
        }
      if (send) await handIn({ env, db }, send);
    }).catch((error) => {
      if (error instanceof NoLink) throw error;
    });
}

async function withAccount<T>(env: Env, id: string, work: (db: AccountDb) => Promise<T>): Promise<T> {
  const db = await openAccount(env, id);
  return work(db).finally(() => db.close());
}

/** Opens the account with the PIN that it has, as who it is from now on. Raises FieldError `wrong_pin`, `wait`. */
export async function resume(env: Env, who: Joined, pin: string): Promise<Session> {
  const { account, credential } = who;
  const db = await openAccount(env, account.id);
  try {
    const before = await keysOfAccount(db);
    const raw = await rawKey(env, db, before, pin);
    const key = await dataKey(env, raw);
    const keys = { ...before, ...(await keysFor(env, who, raw, key)) };
    await write(db, ["meta", "databases"], async (tx) => {
      const [records, databases] = [tx.objectStore("meta"), tx.objectStore("databases")];
      await records.put(account, "account");
      await records.put(keys, "keys");
      // Its clock stays as it was: what has not been sent was told by it, and the next sync puts both right together.
      await records.delete("attempts");
      // From here on whoever refuses it has revoked it: it has the credential that the server knows.
      const note = (await records.get("sync")) as SyncNote | undefined;
      await records.put({ ...note, lastSync: note?.lastSync ?? null, problem: null, unknown: false }, "sync");
      const known = new Set(await databases.getAllKeys());
      for (const name of who.dbs) if (!known.has(name)) await databases.put(newDatabase(name));
    });
    await putInFront(env, account);
    return { env, account, db, key, credential, pages: new Map() };
  } catch (error) {
    db.close();
    throw error;
  }
}
