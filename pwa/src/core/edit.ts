/** One person's write on a body: what `sync/merge.py` calls `write`, for the rules that phones write by. */
import type { Act } from "./documents.ts";
import type { Json, JsonObject } from "./json.ts";
import { restamped, type Stamps } from "./stamps.ts";

/** Registers to their new values (undefined clears one), and acts to add. */
export interface Changes {
  readonly fields?: Readonly<Record<string, Json | undefined>>;
  readonly acts?: readonly Act[];
}

/** The body after a write; `before` is null for a document's first one, and then `type` names it. */
export function edited(
  before: JsonObject | null,
  type: string,
  { fields = {}, acts = [] }: Changes,
  stamp: string,
  by: string,
): JsonObject {
  const { stamps, ...old } = before ?? {};
  const body: Record<string, Json> = { ...(old as JsonObject), type, v: before?.v ?? 1, by };
  for (const [field, value] of Object.entries(fields))
    if (value === undefined) delete body[field];
    else body[field] = value;
  const written = Object.keys(fields);
  if (acts.length > 0 || type === "pledge") {
    const all = [...((body.acts as readonly Act[] | undefined) ?? []), ...acts];
    // The normal form of a set: sorted by id.
    body.acts = all.sort((a, b) => (a.id < b.id ? -1 : 1)) as unknown as Json;
    written.push("acts");
  }
  const seen = before ? { body: old as JsonObject, stamps: stamps as Stamps } : null;
  body.stamps = restamped(seen, body, written, stamp);
  return body;
}

/** What a person writes, as the schemas want it: NFC, no control characters, no odd spaces. */
export function tidy(text: string): string {
  return (
    text
      .normalize("NFC")
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the schemas refuse them
      .replace(/[\u0000-\u001f\u007f\s]+/g, " ")
      .trim()
  );
}
