/**
 * Hybrid logical clocks: `MMMMMMMMMMMMM-CCCC-<device>`, 13 digits of milliseconds, 4 hex digits of a counter, so
 * that the order of the texts is the order of the clocks.
 *
 * A document carries `stamps: {"*": hlc, "<field>": hlc}`. A field's stamp is its entry, else `*`; `*` is the
 * greatest, and only fields that differ from it have entries. An absent field has a stamp too: it was cleared,
 * or never written, at that time.
 */

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

/**
 * The next stamp of a device: later than the wall clock's `now` allows nothing else, and strictly later than
 * every stamp in `seen` (its own last one, those of the revision that is edited).
 */
export function tick(now: number, device: string, seen: Iterable<string>): string {
  let ms = Math.max(0, Math.floor(now));
  let counter = 0;
  for (const text of seen) {
    const last = parseStamp(text);
    if (last.ms > ms) [ms, counter] = [last.ms, last.counter + 1];
    else if (last.ms === ms) counter = Math.max(counter, last.counter + 1);
  }
  // 65,536 stamps in one millisecond: borrow from the next one.
  if (counter > 0xffff) [ms, counter] = [ms + 1, 0];
  return printStamp({ ms, counter, device });
}

/** A stamp moved by `shift` milliseconds; the counter stays, so the order among the moved ones stays. */
export function shifted(text: string, shift: number): string {
  const stamp = parseStamp(text);
  return printStamp({ ...stamp, ms: Math.max(0, stamp.ms + Math.floor(shift)) });
}

export function stampOf(stamps: Stamps, field: string): string {
  return stamps[field] ?? stamps["*"];
}

/** The stamps after `written` fields were written at `stamp`; `fields` are all that the type knows. */
export function restamped(
  before: Stamps | null,
  fields: readonly string[],
  written: readonly string[],
  stamp: string,
): Stamps {
  if (before === null) return { "*": stamp };
  const each: Record<string, string> = {};
  for (const field of new Set([...fields, ...Object.keys(before)]))
    if (field !== "*") each[field] = written.includes(field) ? stamp : stampOf(before, field);
  return normal(each, stamp > before["*"] ? stamp : before["*"]);
}

/** Stamps with entries only where they differ from `*`. */
export function normal(each: Readonly<Record<string, string>>, top: string): Stamps {
  const entries = Object.entries(each).filter(([, stamp]) => stamp !== top);
  return { "*": top, ...Object.fromEntries(entries) };
}
