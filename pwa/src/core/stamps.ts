/**
 * Hybrid logical clocks: `MMMMMMMMMMMMM-CCCC-<device>`, 13 digits of milliseconds, 4 hex digits of a counter, so
 * that the order of the texts is the order of the clocks.
 *
 * A document carries `stamps: {"*": hlc, "<field>": hlc}` in normal form: `*` is the greatest; a field that is
 * there has an entry only where its stamp differs; a field that was cleared keeps an entry always. A field that
 * is neither there nor among the entries was never written. `sync/stamps.py` is the other half.
 */
import type { JsonObject } from "./json.ts";

export type Stamps = Readonly<Record<string, string>> & { readonly "*": string };

export interface Stamp {
  readonly ms: number;
  readonly counter: number;
  readonly device: string;
}

const SHAPE = /^([0-9]{13})-([0-9a-f]{4})-([a-z0-9]{4,16})$/;

export function parseStamp(text: string): Stamp {
  const parts = SHAPE.exec(text);
  if (!parts) throw new Error(`not a stamp: ${text}`);
  const [, ms, counter, device] = parts as unknown as [string, string, string, string];
  return { ms: Number(ms), counter: Number.parseInt(counter, 16), device };
}

export function printStamp({ ms, counter, device }: Stamp): string {
  return `${String(ms).padStart(13, "0")}-${counter.toString(16).padStart(4, "0")}-${device}`;
}

/** 1 January 2100 (milliseconds): the latest time that a clock may tell (`sync/stamps.py`, the end). */
export const LATEST = 4_102_444_800_000;
/** 1 January 2026: no server of this program runs before, and one that says so tells it by a dead battery. */
export const EARLIEST = 1_767_225_600_000;
/** What stamps begin with a year later, as text. */
const END = String(LATEST + 365 * 24 * 3_600_000);

/** What stamps compare by: their text, and one that no clock can have told before all others. */
export const order = (stamp: string): string => (stamp < END ? stamp : `!${stamp}`);

/**
 * The next stamp of a device: later than the wall clock's `now` allows nothing else, and strictly later than
 * every stamp in `seen` (its own last one, those of the revision that is edited). A clock beyond `LATEST` stands
 * there, and nobody goes on from a stamp that no clock can have told.
 */
export function tick(now: number, device: string, seen: Iterable<string>): string {
  let ms = Math.min(LATEST, Math.max(0, Math.floor(now)));
  let counter = 0;
  for (const text of seen) {
    if (text >= END || !SHAPE.test(text)) continue; // an app of before has gone on to fourteen digits
    const last = parseStamp(text);
    if (last.ms > ms) [ms, counter] = [last.ms, last.counter + 1];
    else if (last.ms === ms) counter = Math.max(counter, last.counter + 1);
  }
  // 65,536 stamps in one millisecond: borrow from the next one.
  if (counter > 0xffff) [ms, counter] = [ms + 1, 0];
  return printStamp({ ms, counter, device });
}

/** Where a time (milliseconds) belongs that a wrong clock has told; `of`: the stamp, or the act's id. */
export type Move = (ms: number, of: string) => number;

/** A stamp moved; the counter stays, so the order among those moved alike stays. */
export function shifted(text: string, move: Move): string {
  const stamp = parseStamp(text);
  return printStamp({ ...stamp, ms: Math.min(LATEST, Math.max(0, Math.floor(move(stamp.ms, text)))) });
}

/** The stamps of a body after `written` fields were written (or cleared: not in `after`) at `stamp`. */
export function restamped(
  before: { readonly body: JsonObject; readonly stamps: Stamps } | null,
  after: JsonObject,
  written: readonly string[],
  stamp: string,
): Stamps {
  if (before === null) return { "*": stamp };
  const top = order(stamp) > order(before.stamps["*"]) ? stamp : before.stamps["*"];
  const entries: Record<string, string> = {};
  for (const field of new Set([...Object.keys(before.stamps), ...Object.keys(before.body), ...written])) {
    if (field === "*" || ENVELOPE.includes(field)) continue;
    const own = written.includes(field) ? stamp : (before.stamps[field] ?? before.stamps["*"]);
    if (own !== top || !(field in after)) entries[field] = own;
  }
  return { "*": top, ...entries };
}

const ENVELOPE = ["type", "v", "by", "stamps", "asks"];

/**
 * What becomes of `fresh` stamps when the clock that gave them turns out to be wrong. They
 * stay above `others`, the stamps that the writer had seen, and keep their order among themselves.
 */
export function remapped(
  fresh: readonly string[],
  others: readonly string[],
  move: Move,
): ReadonlyMap<string, string> {
  const map = new Map<string, string>();
  let floor = others
    .filter((stamp) => stamp < END)
    .sort()
    .pop();
  for (const old of [...fresh].sort()) {
    const { device } = parseStamp(old);
    const moved = shifted(old, move);
    const next = floor !== undefined && moved <= floor ? tick(0, device, [floor]) : moved;
    map.set(old, next);
    floor = next;
  }
  return map;
}
