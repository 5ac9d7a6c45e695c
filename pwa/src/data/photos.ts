/**
 * Photographs on the phone: made small, named by the SHA-256 of their bytes, encrypted, kept until the server has
 * them. What they show, and whether they are sent at all, the inspections say that name them (upload.ts).
 */
import type { JsonObject } from "../core/json.ts";
import { hex } from "./bytes.ts";
import { FieldError, type PhotosState } from "./contract.ts";
import { decrypt, encrypt } from "./crypto.ts";
import { meta, meter, type Photo, stored, write } from "./db.ts";
import { draft } from "./drafts.ts";
import type { Bytes, Shrunk } from "./env.ts";
import { told } from "./erased.ts";
import { Refused, send } from "./link.ts";
import { readAll, type Session } from "./records.ts";

/** As often one picture is made another one. */
const OTHERS = 30;

/**
 * On disk, encrypted, when it resolves. A picture is known by its bytes, and belongs to one form in one hamlet: what is
 * shown, was taken back or is half filled in elsewhere is made another one, by a pixel. Those of its own form are
 * `beside` it: chosen twice, it is one. Raises FieldError `bad_picture`, `storage_full`, `not_saved`.
 */
export async function add(
  session: Session,
  hamlet: string,
  picture: Blob,
  beside: readonly string[],
): Promise<string> {
  const named = await stored(namedIn(session));
  for (let less = 0; less < OTHERS; less++) {
    const shrunk = await session.env.shrink(picture, less);
    const sha256 = hex(new Uint8Array(await session.env.subtle.digest("SHA-256", shrunk.bytes)));
    if (beside.includes(sha256)) return sha256;
    if (!named.has(sha256) && (await keep(session, hamlet, sha256, shrunk))) return sha256;
  }
  throw new FieldError("bad_picture");
}

/** False where the phone has it from elsewhere. */
async function keep(
  session: Session,
  hamlet: string,
  sha256: string,
  { bytes, thumb, ...about }: Shrunk,
): Promise<boolean> {
  const { env, key } = session;
  const full = await encrypt(env, key, bytes, place(sha256, "full"));
  const small = await encrypt(env, key, thumb, place(sha256, "thumb"));
  const photo: Photo = {
    ...{ sha256, hamlet, ...about, size: bytes.length, taken: env.now() },
    ...{ state: "phone", reason: null, doc: null, told: false, offset: null },
  };
  const writing = write(session.db, ["photos", "pictures"], async (tx) => {
    const there = await tx.objectStore("photos").get(sha256);
    if (there) {
      if (there.hamlet !== hamlet || there.state !== "phone") return false;
      const { unnamed: _, ...known } = there; // its form was ended before it named it
      await tx.objectStore("photos").put({ ...known, taken: photo.taken });
      return true;
    }
    await tx.objectStore("photos").put(photo);
    await tx.objectStore("pictures").put(full, [sha256, "full"]);
    await tx.objectStore("pictures").put(small, [sha256, "thumb"]);
    return true;
  });
  // Stored or not: what the storage holds may be on the screen.
  return stored(writing).finally(() => env.channel.post("records"));
}

/**
 * A small picture of what a colleague took, from the server, kept beside the phone's own ones. Raises FieldError
 * `offline`, `missing` (the server has not all of it yet), `server`, and as `add`.
 */
export async function fetched(session: Session, hamlet: string, sha256: string): Promise<string> {
  const { env, key } = session;
  const { bytes, mime } = await downloaded(session, `/db/media-${hamlet}/_blob/${sha256}?size=thumb`);
  const small = await encrypt(env, key, bytes, place(sha256, "thumb"));
  const photo: Photo = {
    ...{ sha256, hamlet, mime, size: bytes.length, width: 0, height: 0, taken: env.now() },
    ...{ state: "received", reason: null, doc: null, told: true, offset: null },
  };
  await stored(
    write(session.db, ["photos", "pictures"], async (tx) => {
      // The phone's own record of a picture says more: where it stands on its way.
      if (!(await tx.objectStore("photos").get(sha256))) await tx.objectStore("photos").put(photo);
      await tx.objectStore("pictures").put(small, [sha256, "thumb"]);
    }),
  );
  await prune(session, await session.db.getAll("photos"));
  return URL.createObjectURL(new Blob([bytes], { type: mime }));
}

async function downloaded(session: Session, path: string): Promise<{ bytes: Bytes; mime: Photo["mime"] }> {
  try {
    const how = { method: "GET", credential: session.credential, meter: meter(session) } as const;
    const { response, alive, end } = await send(session.env, path, how);
    try {
      const bytes = new Uint8Array(await response.arrayBuffer());
      alive(bytes.length);
      const mime = response.headers.get("Content-Type") === "image/jpeg" ? "image/jpeg" : "image/webp";
      return { bytes, mime };
    } finally {
      end();
    }
  } catch (error) {
    if (!(error instanceof Refused)) throw new FieldError("offline");
    throw new FieldError(error.status === 404 ? "missing" : "server");
  }
}

/** Small pictures that a phone keeps of what the server has: some 4 MB. */
export const KEPT = 300;

/** Forgets the oldest of what the server has, where there are too many: nothing of it is lost. */
export async function prune(session: Session, all: readonly Photo[]): Promise<void> {
  const safe = all.filter(({ state }) => state === "received").sort((a, b) => b.taken - a.taken);
  for (const { sha256 } of safe.slice(KEPT)) await forget(session, sha256);
}

/** An object URL of the picture, or of its thumbnail once the server has it; null where there is neither. */
export async function show(session: Session, sha256: string): Promise<string | null> {
  const photo = await session.db.get("photos", sha256);
  if (!photo) return null;
  const bytes = (await opened(session, sha256, "full")) ?? (await opened(session, sha256, "thumb"));
  return bytes && URL.createObjectURL(new Blob([bytes], { type: photo.mime }));
}

/** The bytes of a picture; null where they are not here. */
export async function opened({ env, db, key }: Session, sha256: string, size: "full" | "thumb") {
  const sealed = await db.get("pictures", [sha256, size]);
  return sealed ? decrypt(env, key, sealed, place(sha256, size)) : null;
}

/** Forgets a picture, unless an inspection that was saved shows it. */
export async function drop(session: Session, sha256: string): Promise<void> {
  const photo = await session.db.get("photos", sha256);
  if (photo && !(await shownIn(session, photo.hamlet)).saved.has(sha256)) await forget(session, sha256);
}

export async function forget(session: Session, sha256: string): Promise<void> {
  await write(session.db, ["photos", "pictures"], async (tx) => {
    await tx.objectStore("photos").delete(sha256);
    await tx.objectStore("pictures").delete([sha256, "full"]);
    await tx.objectStore("pictures").delete([sha256, "thumb"]);
  });
  session.env.channel.post("records");
}

export async function state({ env, db }: Session): Promise<PhotosState> {
  const [all, mobileData, erased] = await Promise.all([db.getAll("photos"), allowed(db), told({ env, db })]);
  const waiting = all.filter((photo) => photo.state === "phone");
  const refused = all.filter((photo) => photo.state === "refused");
  return {
    waiting: waiting.length,
    waitingBytes: waiting.reduce((sum, { size, offset }) => sum + size - (offset ?? 0), 0),
    refused: refused.length,
    reasons: [...new Set(refused.flatMap(({ reason }) => reason ?? []))],
    erased,
    mobileData,
    paused: waiting.length > 0 && env.metered() && !mobileData,
  };
}

export async function allow({ db, env }: Session, mobileData: boolean): Promise<void> {
  await write(db, ["meta"], (tx) => tx.objectStore("meta").put({ mobileData }, "photos"));
  env.channel.post("sync");
}

export async function allowed(db: Session["db"]): Promise<boolean> {
  return (await meta(db, "photos"))?.mobileData ?? false;
}

/** Where a picture is shown: the inspection's ULID and the item of its checklist. */
export interface Shown {
  readonly inspection: string;
  readonly item: string;
}

/** The pictures that a hamlet's inspections show: those that the server has, and all that were saved. */
export async function shownIn(
  session: Session,
  hamlet: string,
): Promise<{ received: ReadonlyMap<string, Shown>; saved: ReadonlyMap<string, Shown> }> {
  const received = new Map<string, Shown>();
  const saved = new Map<string, Shown>();
  const known = await readAll(session, `hamlet-${hamlet}`, "inspection:");
  for (const { id, winner, own } of known.values()) {
    for (const { body, state } of own) {
      take(saved, id, body);
      if (state === "received") take(received, id, body);
    }
    if (!winner) continue;
    take(saved, id, winner.body);
    take(received, id, winner.body);
  }
  return { received, saved };
}

/** All that inspections name, what was taken back included, and forms that are half filled in. */
async function namedIn(session: Session): Promise<ReadonlySet<string>> {
  const named = new Set(await draftedIn(session));
  for (const { name } of await session.db.getAll("databases"))
    for (const { winner, own } of (await readAll(session, name, "inspection:")).values())
      for (const { body } of winner ? [winner, ...own] : own)
        for (const { id } of entriesOf(body)) named.add(String(id));
  return named;
}

const entriesOf = ({ photos }: JsonObject) => (photos ?? []) as readonly JsonObject[];

/** The pictures that forms name which are half filled in. */
export async function draftedIn(session: Session): Promise<ReadonlySet<string>> {
  const names = await session.db.getAllKeys("drafts");
  const kept = await Promise.all(names.map((name) => draft(session, name)));
  return new Set(JSON.stringify(kept).match(/[0-9a-f]{64}/g));
}

/** Notes where waiting pictures are shown: the inspections of this hamlet are about to leave the phone. */
export async function pin(session: Session, hamlet: string): Promise<void> {
  const { saved } = await shownIn(session, hamlet);
  await write(session.db, ["photos"], async (tx) => {
    for (const photo of await tx.objectStore("photos").getAll()) {
      const at = saved.get(photo.sha256);
      if (at && photo.hamlet === hamlet && photo.state !== "received")
        await tx.objectStore("photos").put({ ...photo, at });
    }
  });
}

function take(into: Map<string, Shown>, id: string, body: JsonObject): void {
  const entries = entriesOf(body);
  const removed = new Set(entries.map(({ removes }) => removes));
  for (const { id: sha256, item } of entries)
    if (item !== undefined && !removed.has(sha256))
      into.set(String(sha256), { inspection: id.slice("inspection:".length), item: String(item) });
}

const place = (sha256: string, size: string) => `picture ${sha256} ${size}`;
