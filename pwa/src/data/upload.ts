/**
 * Sends photographs, after all text: first the document that describes one, then its bytes in chunks. A cut costs
 * what was under way; the server says from where to go on (`/db/media-<hamlet>/_blob/<sha256>`).
 */

import { edited } from "../core/edit.ts";
import { isObject, type JsonObject } from "../core/json.ts";
import { digest } from "../core/revision.ts";
import { tick } from "../core/stamps.ts";
import { toBase64url } from "./bytes.ts";
import type { SyncProblem } from "./contract.ts";
import { decryptJson, encryptJson } from "./crypto.ts";
import { type Clock, isFull, type Keys, meta, meter, type Photo, write } from "./db.ts";
import type { Bytes } from "./env.ts";
import * as erased from "./erased.ts";
import { bundle, receiptsIn } from "./handin.ts";
import { ask, body, NoLink, Refused, send as request } from "./link.ts";
import { minted, travelling } from "./outgoing.ts";
import { allowed, draftedIn, forget, opened, prune, type Shown, shownIn } from "./photos.ts";
import type { Session } from "./records.ts";
import { problemOf } from "./replicator.ts";
import { packed, RECORD, seal } from "./seal.ts";
import { BadAnswer } from "./wire.ts";

/** Bytes of one request: on a weak link half a minute at 8 kbit/s. */
const WEAK = 24_000;
const GOOD = 150_000;
const DAY = 24 * 3_600_000;
/** A picture that nothing names on so many days belongs to a form that was given up. */
const ABANDONED = 30;

/**
 * Sends what the server lacks, the refused ones too where the volunteer asked. Null where all went well, another
 * tab is at it, or it is not the time. Raises nothing.
 */
export async function send(session: Session, refusedToo: boolean): Promise<SyncProblem | null> {
  return session.env.alone(`camket-photos-${session.account.id}`, () =>
    sendAll(session, refusedToo)
      .then(() => erased.hear(session))
      .then(() => null, problemOf),
  );
}

async function sendAll(session: Session, refusedToo: boolean): Promise<void> {
  const { db, env } = session;
  const all = await db.getAll("photos");
  await prune(session, all);
  const going = all.filter(({ state }) => state === "phone" || (refusedToo && state === "refused"));
  if (going.length === 0) return;
  const shown = new Map<string, Awaited<ReturnType<typeof shownIn>>>();
  const unnamed: Photo[] = [];
  for (const photo of going.sort((a, b) => a.taken - b.taken)) {
    const here = shown.get(photo.hamlet) ?? (await shownIn(session, photo.hamlet));
    shown.set(photo.hamlet, here);
    // An inspection that is on this phone no more has gone to another hamlet, and the picture goes after it.
    const gone = here.saved.has(photo.sha256) ? undefined : photo.at;
    const at = here.received.get(photo.sha256) ?? gone;
    if (at && (!env.metered() || (await allowed(db)))) await sendOne(session, photo, at);
    else if (!at && !here.saved.has(photo.sha256)) unnamed.push(photo);
  }
  if (unnamed.length > 0) await age(session, unnamed);
}

/**
 * Forgets pictures of forms that were given up; one that is half filled in still names its own. Days on which the phone
 * looked are counted, and none by its clock alone: that may jump over years.
 */
async function age(session: Session, unnamed: readonly Photo[]): Promise<void> {
  const now = session.env.now();
  const drafted = await draftedIn(session);
  for (const photo of unnamed) {
    const { at = 0, days = 0 } = photo.unnamed ?? {};
    if (drafted.has(photo.sha256) || Math.abs(now - at) < DAY) continue;
    if (days < ABANDONED) await changed(session, photo, { unnamed: { at: now, days: days + 1 } });
    else await forget(session, photo.sha256);
  }
}

/**
 * The phone was revoked: photographs that a saved inspection shows go in too, for a person to decide, their documents
 * as sealed records and the bytes by the send-only credential. True where nothing is left that could go. Raises what
 * the link raises.
 */
export async function handInPhotos(session: Session): Promise<boolean> {
  const { db, env } = session;
  const keys = await meta(db, "keys");
  const going = (await db.getAll("photos")).filter(
    ({ state, again }) => state === "phone" || (state === "refused" && !again),
  );
  if (!keys || going.length === 0) return true;
  const sendOnly: Session = { ...session, credential: keys.send };
  const shown: string[] = [];
  for (const photo of going.sort((a, b) => a.taken - b.taken)) {
    const { received, saved } = await shownIn(session, photo.hamlet);
    const at = saved.get(photo.sha256) ?? received.get(photo.sha256) ?? photo.at;
    if (!at) continue; // of a form that was never saved
    shown.push(photo.sha256);
    if (env.metered() && !(await allowed(db))) return false;
    // What was refused is looked at once more: the phone's is the only one.
    const once = photo.state === "refused" ? ({ state: "phone", again: true } as const) : {};
    await changed(session, photo, once);
    await sendOne(sendOnly, { ...photo, ...once }, at, (doc) =>
      handInOne(sendOnly, keys, databaseOf(photo), doc),
    );
  }
  return (await db.getAll("photos")).every(
    ({ state, sha256 }) => state !== "phone" || !shown.includes(sha256),
  );
}

/** Why the server would not have it, null where it has it. */
async function handInOne(session: Session, keys: Keys, db: string, doc: JsonObject): Promise<string | null> {
  const { env } = session;
  const clock = env.now() + ((await meta(session.db, "clock"))?.offset ?? 0);
  const plain = await packed({ send: keys.send, clock, db, doc });
  if (!plain) throw new NoLink(false); // a browser that cannot seal keeps its pictures
  const record = toBase64url(await seal(env, keys.seal, RECORD, plain));
  const answer = await ask(env, "/sealed", {
    ...{ credential: keys.send, type: "text/plain", meter: meter(session) },
    body: await body(bundle(keys.seal.id, [{ record }])),
  });
  const [receipt] = receiptsIn(answer);
  if (isObject(answer) && answer.later) throw new Refused(403, "later");
  if (!receipt) throw new BadAnswer("/sealed answers a receipt for each record");
  if (receipt.is === "erased") throw new Erased();
  return ["received", "absorbed", "quarantined"].includes(receipt.is) ? null : receipt.reason;
}

/** Raises what stops the others too, and that alone: no link, a server that is busy or does not know this phone. */
async function sendOne(
  session: Session,
  photo: Photo,
  at: Shown,
  tell = bulk(session, photo),
): Promise<void> {
  try {
    const told = photo.told ? photo : await describe(session, photo, at, tell);
    // A document that was refused may be a colleague's already: then the bytes are wanted all the same.
    await upload(session, told ?? photo);
  } catch (error) {
    if (error instanceof Erased) return erased.drop(session, photo.sha256);
    if (!(error instanceof Refused) || stopsAll(error)) throw error;
    if ((await session.db.get("photos", photo.sha256))?.state === "refused" && !photo.told) return;
    if (error.status === 404) return changed(session, photo, { told: false, offset: null }); // restored from a backup
    if (error.status === 403) return; // another hamlet's by now: it stays here
    if (error.status === 409) return; // somebody sends it too: from where to go on is asked next time
    await changed(session, photo, { state: "refused", reason: error.reason || null, offset: null });
  }
}

/** The office has erased the picture, here or on another phone's word. */
class Erased extends Error {}

/** The phone is not known, or the server is busy: nothing of this photo alone. */
const stopsAll = ({ status }: Refused) => [401, 408, 429].includes(status) || status >= 500;

// --- the document

/** Writes the photo's document once and sends it, as often as it takes. Null where the server would not have it. */
async function describe(session: Session, photo: Photo, at: Shown, tell: Tell): Promise<Photo | null> {
  const reason = await tell(await documentOf(session, photo, at));
  // What broke a rule is written anew next time: its stamp may have been what was wrong.
  if (reason !== null) await changed(session, photo, { state: "refused", reason: reason || null, doc: null });
  else await changed(session, photo, { told: true });
  return reason === null ? ((await session.db.get("photos", photo.sha256)) ?? null) : null;
}

/** Brings a document to the server: null where that has it, else its reason. */
type Tell = (doc: JsonObject) => Promise<string | null>;

const bulk =
  (session: Session, photo: Photo): Tell =>
  async (doc) => {
    const answer = await ask(session.env, `/db/${databaseOf(photo)}/_bulk_docs`, {
      credential: session.credential,
      body: await body(JSON.stringify({ new_edits: false, docs: [doc] })),
      meter: meter(session),
    });
    if (!Array.isArray(answer)) throw new BadAnswer("_bulk_docs answers a list");
    const [wrong] = answer.filter(isObject); // only errors have rows
    if (wrong?.is === "later") throw new Refused(403, "later"); // it stays here, and goes another time
    if (wrong?.is === "erased") throw new Erased();
    // What a person has to look at first is named there already, and its bytes are taken.
    if (!wrong || wrong.is === "quarantined") return null;
    return typeof wrong.reason === "string" ? wrong.reason : "";
  };

async function documentOf(session: Session, photo: Photo, at: Shown): Promise<JsonObject> {
  const { env, db, key, account } = session;
  const place = `photo ${photo.sha256}`;
  if (photo.doc) return decryptJson<JsonObject>(env, key, photo.doc, place);
  const clock = (await meta(db, "clock")) as Clock;
  const stamp = tick(env.now() + clock.offset, account.id, clock.last ? [clock.last] : []);
  const { mime, size, width, height } = photo;
  const fields = { mime, bytes: size, width, height, ...at };
  const rev = minted(session, 1);
  const written = edited(null, "photo", { fields }, stamp, account.user.id);
  const leaf = { rev, revs: [digest(rev)], depth: 1, body: written };
  const doc = travelling({ ...leaf, id: `photo:${photo.sha256}` });
  const sealed = await encryptJson(env, key, doc, place);
  await write(db, ["photos", "meta"], async (tx) => {
    const now = (await tx.objectStore("meta").get("clock")) as Clock;
    const last = now.last > stamp ? now.last : stamp;
    await tx.objectStore("meta").put({ ...now, last }, "clock");
    await tx.objectStore("photos").put({ ...photo, doc: sealed });
  }).catch(roomless);
  return doc;
}

/** A note that has no room is done without: the picture goes all the same, and makes some. */
function roomless(error: unknown): void {
  if (!isFull(error)) throw error;
}

// --- the bytes

async function upload(session: Session, photo: Photo): Promise<void> {
  const bytes = await opened(session, photo.sha256, "full");
  if (!bytes) return received(session, photo);
  let offset = photo.offset === null ? 0 : await held(session, photo);
  // From here on the server is asked: a first chunk that is cut may have brought it a part.
  if (photo.offset === null) await changed(session, photo, { offset });
  // Two tries: what the server holds may be damaged, or may have been thrown away.
  for (let tries = 2; offset < bytes.length; )
    try {
      offset = await put(session, photo, bytes, offset);
      await changed(session, photo, { offset });
    } catch (error) {
      const again = error instanceof Refused && (error.status === 409 || error.error === "wrong_digest");
      if (!again || --tries === 0) throw error;
      offset = await held(session, photo);
    }
  await received(session, photo);
}

/** How many bytes of it the server holds. */
async function held(session: Session, { sha256, hamlet }: Photo): Promise<number> {
  const answer = await request(session.env, pathOf({ sha256, hamlet }), {
    method: "HEAD",
    credential: session.credential,
    meter: meter(session),
  });
  answer.end();
  const offset = answer.response.headers.get("Upload-Offset");
  if (!/^\d{1,7}$/.test(offset ?? "")) throw new BadAnswer("no Upload-Offset");
  return Number(offset);
}

/** Sends one chunk; how many bytes the server holds then. */
async function put(session: Session, photo: Photo, bytes: Bytes, from: number): Promise<number> {
  const to = Math.min(from + (session.env.weakLink() ? WEAK : GOOD), bytes.length);
  const answer = await ask(session.env, pathOf(photo), {
    method: "PUT",
    credential: session.credential,
    type: photo.mime,
    range: `bytes ${from}-${to - 1}/${bytes.length}`,
    body: { bytes: bytes.slice(from, to), encoding: null },
    meter: meter(session),
  });
  const offset = isObject(answer) ? answer.offset : null;
  if (typeof offset !== "number" || offset <= from) throw new NoLink(true);
  return offset;
}

/** The server has it on its disk: the thumbnail is enough here. */
async function received(session: Session, { sha256 }: Photo): Promise<void> {
  await write(session.db, ["photos", "pictures"], async (tx) => {
    const photo = await tx.objectStore("photos").get(sha256);
    if (!photo) return;
    const { size } = photo;
    await tx
      .objectStore("photos")
      .put({ ...photo, state: "received", reason: null, doc: null, offset: size });
    await tx.objectStore("pictures").delete([sha256, "full"]);
  }).catch((error) => {
    roomless(error);
    return forget(session, sha256); // whoever looks at it again fetches it
  });
  session.env.channel.post("sync");
}

async function changed(session: Session, { sha256 }: Photo, change: Partial<Photo>): Promise<void> {
  await write(session.db, ["photos"], async (tx) => {
    const photo = await tx.objectStore("photos").get(sha256);
    if (photo) await tx.objectStore("photos").put({ ...photo, ...change });
  }).catch(roomless);
}

const databaseOf = ({ hamlet }: Pick<Photo, "hamlet">) => `media-${hamlet}`;
const pathOf = ({ sha256, hamlet }: Pick<Photo, "sha256" | "hamlet">) =>
  `/db/${databaseOf({ hamlet })}/_blob/${sha256}`;
