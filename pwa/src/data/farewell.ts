/**
 * The office took this phone off its list: what it has goes in, sealed, and then the account leaves it. What one
 * transaction finds to be with the server, all of it, may be forgotten; a record that was saved meanwhile may not.
 */
import { isObject, type JsonObject } from "../core/json.ts";
import { commitMissing, keyOf } from "./commit.ts";
import { deliver } from "./courier.ts";
import { isFull, meta, type Outgoing, write } from "./db.ts";
import { handIn, standing } from "./handin.ts";
import { sealed } from "./outgoing.ts";
import { openOwn, readAll, type Session } from "./records.ts";
import { handInPhotos } from "./upload.ts";

/**
 * Hands in what this phone has. True where the server has all of it, and the account may be removed: from then on
 * nothing is saved to it. `life`: which one the server told (handin.ts). Raises what the link and the storage raise.
 */
export async function handOver(session: Session, life: string): Promise<boolean> {
  const { env, db } = session;
  await handIn({ env, db }); // first of all: a phone that is full may have no room to seal what else there is
  if (await sealRest(session, life)) await handIn({ env, db });
  const known = new Set((await db.getAllKeys("own")).map(String));
  await deliver({ env, db });
  // They go last, and where they must wait for Wi-Fi the phone waits with them.
  if (!(await handInPhotos(session))) return false;
  const told = await standing({ env, db });
  return told.is === "revoked" && told.life === life && leave(session, known);
}

/** Whether everything is with the server that was `known` when the pictures went; then nothing is saved any more. */
async function leave({ db }: Session, known: ReadonlySet<string>): Promise<boolean> {
  let stays = true;
  try {
    await write(db, ["meta", "own", "outbox", "carried"], async (tx) => {
      const own = await tx.objectStore("own").getAll();
      const carried = await tx.objectStore("carried").getAll();
      stays =
        own.some((leaf) => leaf.state === "unsent" || !known.has(String(keyOf(leaf)))) ||
        carried.some(({ receipt }) => !receipt) ||
        (await tx.objectStore("outbox").count()) > 0;
      if (!stays) await tx.objectStore("meta").put(true, "leaving");
    });
  } catch (error) {
    if (!isFull(error)) throw error; // one with no room for this word has none for a record either
  }
  return !stays;
}

/**
 * Seals what was never sealed, or has been answered: what the server asked for again and, once in its life, what it had
 * refused. One that was restored gets back what it may have lost of this person's work: nobody asks a revoked phone
 * for it. Resolves to whether there was any.
 */
async function sealRest(session: Session, life: string): Promise<boolean> {
  const { db } = session;
  const [keys, given] = await Promise.all([meta(db, "keys"), meta(db, "given")]);
  if (!keys) return false;
  const first = given !== life;
  if (first && life) await takeUp(session);
  const [own, outbox] = await Promise.all([db.getAll("own"), db.getAll("outbox")]);
  const ready = new Set(outbox.map((one) => String(keyOf(one))));
  const going = own.filter(
    (leaf) =>
      !ready.has(String(keyOf(leaf))) &&
      (leaf.state === "unsent" || (first && (life || leaf.state === "refused"))),
  );
  const records: Outgoing[] = [];
  for (const leaf of going) {
    const { body } = await openOwn(session, leaf);
    const record = await sealed(session.env, keys, { ...leaf, body }, leaf.saved);
    if (record) records.push(record); // one that cannot be sealed here stays, and the phone with it
  }
  if (records.length === 0) return false;
  await write(db, ["meta", "own", "outbox"], async (tx) => {
    for (const record of records)
      if (await tx.objectStore("own").getKey(keyOf(record))) await tx.objectStore("outbox").put(record);
    await tx.objectStore("meta").put(life, "given");
  });
  return true;
}

/** Winners that this person wrote, or told something in, become leaves to be sent. */
async function takeUp(session: Session): Promise<void> {
  const me = session.account.user.id;
  const isMine = ({ by, acts }: JsonObject) =>
    by === me || (Array.isArray(acts) && acts.some((act) => isObject(act) && act.by === me));
  for (const { name } of await session.db.getAll("databases")) {
    const known = [...(await readAll(session, name)).values()];
    const mine = known.flatMap(({ id, winner }) =>
      winner && isMine(winner.body) ? [[id, winner.rev] as const] : [],
    );
    await commitMissing(session, name, mine);
  }
}
