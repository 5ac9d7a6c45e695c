/**
 * Whose value lost is told, with what is kept and why. A volunteer's value is kept aside (encrypted) when the winner
 * that settles it says otherwise, or when somebody else's value takes the place of one that had won already: a
 * colleague who was offline wrote later, or staff chose. Whether it still differs, the winner that stands says.
 */
import type { Json, JsonObject } from "../core/json.ts";
import { isObject, sameJson } from "../core/json.ts";
import { order, type Stamps } from "../core/stamps.ts";
import { isSettledBy } from "./commit.ts";
import { decryptJson, encryptJson } from "./crypto.ts";
import { type Fresh, keysOf, type Overruled } from "./db.ts";
import { type Bodies, openOwn, readOne, type Session } from "./records.ts";
import type { Row } from "./wire.ts";

/** A value that this phone wrote, with its stamp. */
export interface OwnValue {
  readonly stamp: string;
  readonly value: Json;
}
/** By field. */
export type OwnValues = Readonly<Record<string, OwnValue>>;

/** office: staff wrote or chose otherwise. colleague: a later value stands. waits: staff have still to choose. */
export type Why = "office" | "colleague" | "waits";

const UNTOLD = ["type", "v", "by", "stamps", "asks", "acts", "photos"];
/** A new list renumbers the walk, and says nothing about the household. */
const UNTOLD_LATER = [...UNTOLD, "order"];
const DAYS = 30;

/** What of an own leaf differs in the winner that settles it. Sets lose nothing. */
export function lostValues(own: JsonObject, fresh: Fresh, winner: JsonObject): OwnValues {
  const fields = Object.keys(own).filter((field) => !UNTOLD.includes(field));
  const mine = fields.filter((field) => fresh.stamps.includes(stampIn(own, field)));
  return differing(own, mine, winner);
}

/** What this device had written into the winner before, and somebody else has written differently since. */
export function replacedValues(before: JsonObject, winner: JsonObject, device: string): OwnValues {
  const mine = Object.keys(before)
    .filter((field) => !UNTOLD_LATER.includes(field))
    .filter((field) => deviceOf(stampIn(before, field)) === device)
    .filter((field) => msOf(stampIn(winner, field)) - msOf(stampIn(before, field)) < DAYS * 86_400_000);
  return differing(before, mine, winner);
}

/** Those of these values that the winner still says otherwise, each with the reason. */
export function stillTold(values: OwnValues, winner: JsonObject): Record<string, Why> {
  const told = Object.entries(values).filter(([field, { value }]) => !sameJson(value, winner[field]));
  return Object.fromEntries(told.map(([field, { stamp }]) => [field, whyOf(field, stamp, winner)]));
}

function differing(own: JsonObject, fields: readonly string[], winner: JsonObject): OwnValues {
  const lost = fields.filter(
    (field) =>
      order(stampIn(winner, field)) > order(stampIn(own, field)) &&
      deviceOf(stampIn(winner, field)) !== deviceOf(stampIn(own, field)) &&
      !sameJson(own[field] as Json, winner[field]),
  );
  return Object.fromEntries(
    lost.map((field) => [field, { stamp: stampIn(own, field), value: own[field] as Json }]),
  );
}

function whyOf(field: string, stamp: string, { asks, stamps }: JsonObject): Why {
  const ask = isObject(asks) ? asks[field] : undefined;
  const others = isObject(ask) && Array.isArray(ask.others) ? ask.others : [];
  if (others.some((other) => isObject(other) && other.stamp === stamp)) return "waits";
  return deviceOf(stampIn({ stamps: stamps as Json }, field)).startsWith("office") ? "office" : "colleague";
}

function stampIn(body: JsonObject, field: string): string {
  const stamps = body.stamps as Stamps;
  return stamps[field] ?? stamps["*"];
}

const deviceOf = (stamp: string) => stamp.slice(stamp.lastIndexOf("-") + 1);
const msOf = (stamp: string) => Number(stamp.slice(0, 13));

// --- kept on the phone

const place = (db: string, id: string) => `overruled ${db} ${id}`;

/** What was kept aside of one document; nothing where nothing was. */
export async function keptValues(session: Session, kept: Overruled | undefined): Promise<OwnValues> {
  if (!kept?.values) return {};
  return decryptJson<OwnValues>(session.env, session.key, kept.values, place(kept.db, kept.id));
}

/** What to keep of one document now; null for nothing. */
async function keeping(
  session: Session,
  db: string,
  id: string,
  values: OwnValues,
  winner: JsonObject,
): Promise<Overruled | null> {
  const fields = Object.keys(stillTold(values, winner));
  if (fields.length === 0) return null;
  return { db, id, fields, values: await encryptJson(session.env, session.key, values, place(db, id)) };
}

/** What to keep by document: own values that these winners say otherwise; null for no more. */
export type Told = ReadonlyMap<string, Overruled | null>;

/** Acts are a set: none of them loses. */
const SETS_ONLY: readonly string[] = ["pledge", "signature", "review"];

/** What the volunteer is to be told of these winners. `first`: no winner of this database was here before. */
export async function toldOf(
  session: Session,
  db: string,
  first: boolean,
  rows: readonly Row[],
  winners: Bodies,
): Promise<Told> {
  const [own, kept] = await Promise.all([
    session.db.getAll("own", keysOf(db)),
    session.db.getAll("overruled", keysOf(db)),
  ]);
  const told = new Map<string, Overruled | null>();
  for (const row of rows) {
    const winner = winners[row.id];
    if (!winner || SETS_ONLY.includes(winner.type as string)) continue;
    const before = kept.find(({ id }) => id === row.id);
    let values: OwnValues = await keptValues(session, before);
    const was = first ? null : (await readOne(session, db, row.id))?.winner;
    if (was) values = { ...values, ...replacedValues(was.body, winner, session.account.id) };
    for (const leaf of own) {
      if (leaf.id !== row.id || leaf.again || !isSettledBy(leaf, row)) continue;
      values = { ...values, ...lostValues((await openOwn(session, leaf)).body, leaf.fresh, winner) };
    }
    if (before || Object.keys(values).length > 0)
      told.set(row.id, await keeping(session, db, row.id, values, winner));
  }
  return told;
}
