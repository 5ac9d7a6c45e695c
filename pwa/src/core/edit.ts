/** One person's write on a body: what `sync/merge.py` calls `write`, for the rules that phones write by. */
import type { InspectionDocument } from "../generated/schemas.ts";
import type { Act } from "./documents.ts";
import { isObject, type Json, type JsonObject } from "./json.ts";
import { order, parseStamp, restamped, type Stamps } from "./stamps.ts";

type Photo = InspectionDocument["photos"][number];

/** The fields with the rule `ask` among what phones write: they remember what a write replaced. */
const ASKED: Readonly<Record<string, readonly string[]>> = { inspection: ["answers"] };

/** Registers to their new values (undefined clears one), and elements to add to the sets. */
export interface Changes {
  readonly fields?: Readonly<Record<string, Json | undefined>>;
  readonly acts?: readonly Act[];
  readonly photos?: readonly Photo[];
}

/** The body after a write; `before` is null for a document's first one, and then `type` names it. */
export function edited(
  before: JsonObject | null,
  type: string,
  { fields = {}, acts = [], photos = [] }: Changes,
  stamp: string,
  by: string,
): JsonObject {
  const { stamps, ...old } = before ?? {};
  const body: Record<string, Json> = { ...(old as JsonObject), type, v: before?.v ?? 1, by };
  for (const [field, value] of Object.entries(fields))
    if (value === undefined) delete body[field];
    else body[field] = value;
  const written = Object.keys(fields);
  if (acts.length > 0 || type === "pledge") written.push(united(body, "acts", acts));
  if (photos.length > 0 || (type === "inspection" && !before)) written.push(united(body, "photos", photos));
  for (const field of ASKED[type] ?? []) if (before && field in fields) settle(body, before, field);
  const seen = before ? { body: old as JsonObject, stamps: stamps as Stamps } : null;
  body.stamps = restamped(seen, body, written, stamp);
  return body;
}

/** Adds elements to a set in its normal form, sorted by id. */
function united(body: Record<string, Json>, name: string, added: readonly { readonly id: string }[]): string {
  const all = new Map<string, { readonly id: string }>();
  for (const one of [...((body[name] as unknown as typeof added | undefined) ?? []), ...added])
    all.set(one.id, one);
  body[name] = [...all.values()].sort((a, b) => (a.id < b.id ? -1 : 1)) as unknown as Json;
  return name;
}

/** A write replaces every value that its field had: what `sync/merge.py` calls settling. */
function settle(body: Record<string, Json>, before: JsonObject, field: string): void {
  const stamps = before.stamps as Stamps;
  const asks = isObject(before.asks) ? before.asks : {};
  const { seen = [], others = [] } = (asks[field] ?? {}) as unknown as {
    readonly seen?: readonly string[];
    readonly others?: readonly { readonly stamp: string }[];
  };
  const shown = field in before ? (stamps[field] ?? stamps["*"]) : stamps[field];
  const last = new Map<string, string>();
  for (const stamp of [...seen, ...others.map((other) => other.stamp), ...(shown ? [shown] : [])]) {
    const { device } = parseStamp(stamp);
    if (order(stamp) > order(last.get(device) ?? "")) last.set(device, stamp);
  }
  if (last.size > 0) body.asks = { ...asks, [field]: { seen: [...last.values()].sort() } };
}

/** What a person writes, as the rules want it: NFC, nothing that cannot be seen, no odd spaces. */
export function tidy(text: string): string {
  return text
    .normalize("NFC")
    .replace(/\p{Cf}+/gu, "")
    .replace(/[\p{Cc}\s]+/gu, " ")
    .trim();
}
