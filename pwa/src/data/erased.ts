/**
 * What the office erased goes from this phone, too. Photographs: the picture that still waited, and the thumbnail of one
 * that had arrived; the volunteer reads for a week how many of her own went. And forms that were half filled in.
 */
import { isObject } from "../core/json.ts";
import { type AccountDb, type Meta, meta, meter, type Photo, write } from "./db.ts";
import { ask, Refused, send } from "./link.ts";
import type { Session } from "./records.ts";
import { BadAnswer } from "./wire.ts";

const ROWS = 500;
/** Erasing has days; a request each time would cost the volunteer more than it is worth. */
const DAILY = 20 * 3_600_000;
const TOLD_FOR = 7 * 24 * 3_600_000;

/** How many of her own pictures went lately. */
export async function told({ env, db }: Pick<Session, "env" | "db">): Promise<number> {
  const { at = 0, count = 0 } = (await meta(db, "erased")) ?? {};
  return env.now() - at < TOLD_FOR ? count : 0;
}

/** Takes a picture that the office erased off the phone. */
export async function drop({ env, db }: Session, sha256: string): Promise<void> {
  await write(db, ["photos", "pictures", "meta"], async (tx) => {
    const photo = await tx.objectStore("photos").get(sha256);
    await tx.objectStore("photos").delete(sha256);
    for (const size of ["full", "thumb"] as const) await tx.objectStore("pictures").delete([sha256, size]);
    if (!photo || isFetched(photo)) return;
    const before = (await tx.objectStore("meta").get("erased")) as Meta["erased"] | undefined;
    const lately = before?.at !== undefined && env.now() - before.at < TOLD_FOR;
    const count = (lately ? (before.count ?? 0) : 0) + 1;
    await tx.objectStore("meta").put({ ...before, at: env.now(), count }, "erased");
  });
  env.channel.post("records");
}

/** Forgets forms that are half filled in about what is gone from here; what has moved stands in another hamlet. */
export async function forgetForms({ db }: Session): Promise<void> {
  const [heads, own, drafts] = await Promise.all([
    db.getAll("heads"),
    db.getAllKeys("own"),
    db.getAllKeys("drafts"),
  ]);
  const here = new Set(own.map(([, id]) => ulidOf(id)));
  for (const { id, page } of heads) if (page !== null) here.add(ulidOf(id));
  const gone = new Set(heads.map(({ id }) => ulidOf(id)).filter((ulid) => !here.has(ulid)));
  for (const name of drafts)
    if (name.match(ULID)?.some((ulid) => gone.has(ulid))) await db.delete("drafts", name);
}

const ULID = /[0-9A-HJKMNP-TV-Z]{26}/g;
/** What a document is about: a pledge is its household's. */
const ulidOf = (id: string) => id.slice(-26);

/** A colleague's, of which the phone has never known the size. */
const isFetched = ({ width }: Photo) => width === 0;

/** Asks once a day which of the photographs that arrived were erased since. Raises what the link raises. */
export async function hear(session: Session): Promise<void> {
  const { env, db } = session;
  const kept = new Set(
    (await db.getAll("photos")).flatMap((one) => (one.state === "received" ? one.sha256 : [])),
  );
  const before = await meta(db, "erased");
  if (kept.size === 0) return;
  if (before?.asked === undefined) return note(db, { asked: env.now() }); // the first of them has just arrived
  if (env.now() - before.asked < DAILY) return;
  const since = { ...before.since };
  for (const { name, gone } of await db.getAll("databases")) {
    if (gone || !name.startsWith("hamlet-")) continue;
    const media = name.replace("hamlet-", "media-");
    since[media] = await heard(session, media, since[media] ?? "0", kept);
  }
  await note(db, { since, asked: env.now() });
}

async function note(db: AccountDb, change: Meta["erased"]): Promise<void> {
  await write(db, ["meta"], async (tx) => {
    const before = (await tx.objectStore("meta").get("erased")) as Meta["erased"] | undefined;
    await tx.objectStore("meta").put({ ...before, ...change }, "erased");
  });
}

/** Reads on in one hamlet's photographs; resolves to the place behind them. */
async function heard(
  session: Session,
  media: string,
  from: string,
  kept: ReadonlySet<string>,
): Promise<string> {
  let since = from;
  for (;;) {
    const query = `limit=${ROWS}&since=${encodeURIComponent(since)}`;
    const how = { method: "GET", credential: session.credential, meter: meter(session) } as const;
    const answer = await ask(session.env, `/db/${media}/_changes?${query}`, how).catch((error) => {
      if (!isAbsent(error)) throw error;
      return null;
    });
    if (answer === null) return since; // nothing has ever been in it, or it is not this phone's any more
    if (!isObject(answer) || !Array.isArray(answer.results)) throw new BadAnswer("_changes answers results");
    for (const { id, deleted } of answer.results.filter(isObject)) {
      const sha256 = String(id).replace("photo:", "");
      if (deleted !== true || !kept.has(sha256)) continue;
      // What moved to another hamlet has left a deletion here as well, and its bytes are found there.
      const there = await isThere(session, media, sha256);
      if (!there) await drop(session, sha256);
    }
    since = typeof answer.last_seq === "string" ? answer.last_seq : JSON.stringify(answer.last_seq);
    if (answer.results.length < ROWS) return since;
  }
}

async function isThere(session: Session, media: string, sha256: string): Promise<boolean> {
  try {
    const how = { method: "HEAD", credential: session.credential, meter: meter(session) } as const;
    (await send(session.env, `/db/${media}/_blob/${sha256}`, how)).end();
    return true;
  } catch (error) {
    if (!isAbsent(error)) throw error;
    return error.status === 403; // in a hamlet that is not this phone's
  }
}

const isAbsent = (error: unknown): error is Refused =>
  error instanceof Refused && [403, 404].includes(error.status);
