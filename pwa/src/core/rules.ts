/**
 * What a document must keep to by its own content beyond its schema: the phone's half of `server/content.py`,
 * under the same keys. What the server judges by who sends, it judges alone; a signature's digest is made here and
 * checked there.
 */
import type { InspectionDocument } from "../generated/schemas.ts";
import { canonical } from "./canonical.ts";
import type { Act } from "./documents.ts";
import { isObject, type Json, type JsonObject } from "./json.ts";
import type { Problem, Schemas } from "./validate.ts";

export interface Broken {
  readonly key: string;
  /** Where, as `acts.0.signer`; empty where the rule is about the whole. */
  readonly place: string;
}

/**
 * Control and format characters (zero-width, bidi) and line separators. Line feeds and tabs pass here; the schemas
 * keep them out of what is one line.
 */
const UNSEEN = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

const SIGNATURE_BYTES = 600;

/** The first rule that a document (body and `_id`) breaks by its own content, or null. */
export function broken(schemas: Schemas, doc: JsonObject): Broken | null {
  const [problem] = schemas.validate(doc);
  if (problem) return { key: keyOf(problem), place: problem.path.join(".") };
  const newer = schemas.newer(doc);
  for (const [place, text] of texts(doc, "")) {
    if (text !== text.normalize("NFC")) return { key: "nfc", place };
    if (text.includes("\0") || (!newer && UNSEEN.test(text))) return { key: "unseen", place };
    if (text && !text.trim()) return { key: "blank", place };
  }
  if (newer) return null;
  const fields = schemas.fields(doc.type as string);
  const unknown = Object.keys(doc.stamps as JsonObject).find(
    (name) => name !== "*" && !fields.includes(name),
  );
  if (unknown !== undefined) return { key: "schema.additionalProperties", place: `stamps.${unknown}` };
  return content(doc);
}

function keyOf({ path, key }: Problem): string {
  if (path.length === 1 && path[0] === "type") return "schema.unknown_type";
  return ["required", "additionalProperties", "type"].includes(key) ? `schema.${key}` : "schema.form";
}

function content(doc: JsonObject): Broken | null {
  switch (doc.type) {
    case "signature":
      return new TextEncoder().encode(canonical(doc.strokes as Json)).length > SIGNATURE_BYTES
        ? { key: "signature_too_long", place: "strokes" }
        : null;
    case "pledge":
      return wrongActs(doc.acts as unknown as Act[]);
    case "household":
    case "unit":
      return wrongDay(doc.status as JsonObject, "since");
    case "campaign":
      return wrongDay(doc, "starts", "ends");
    case "outreach":
      return wrongDay(doc, "date");
    case "inspection":
      return wrongInspection(doc as unknown as InspectionDocument);
    default:
      return null;
  }
}

/** The first of these fields that holds no day of the calendar. */
function wrongDay(shape: JsonObject, ...names: string[]): Broken | null {
  const wrong = names.find((name) => typeof shape[name] === "string" && !real(shape[name]));
  return wrong ? { key: "schema.form", place: wrong } : null;
}

function wrongInspection(doc: InspectionDocument): Broken | null {
  const { photos } = doc;
  const followUp = (doc.follow_up ?? {}) as unknown as JsonObject;
  const wrong = wrongDay({ date: doc.date }, "date") ?? wrongDay(followUp, "due", "done");
  if (wrong) return wrong;
  const added = new Set(photos.map((photo) => ("item" in photo ? photo.id : "")));
  const aims = photos.every((photo) => added.has("removes" in photo ? photo.removes : photo.id));
  return inOrder(photos) && aims ? null : { key: "photos", place: "photos" };
}

/** Whether a set is in its normal form: by id, each once. */
function inOrder(elements: readonly { readonly id: string }[]): boolean {
  return elements.every(({ id }, i) => i === 0 || (elements[i - 1] as { id: string }).id < id);
}

/** What each kind may take back. */
const AIMS: Readonly<Record<string, readonly string[]>> = {
  voided: ["visit", "signed"],
  withdrawn: ["signed"],
};

function wrongActs(acts: readonly Act[]): Broken | null {
  if (!inOrder(acts)) return { key: "acts_order", place: "acts" };
  const kinds = new Map<string, string>(acts.map(({ id, kind }) => [id, kind]));
  for (const act of acts) {
    if (!real(act.at)) return { key: "schema.form", place: "at" };
    if (act.kind === "signed" && act.meeting && !real(act.meeting.date))
      return { key: "schema.form", place: "date" };
    const aims = AIMS[act.kind];
    if (aims && "target" in act && !aims.includes(kinds.get(act.target) ?? ""))
      return { key: "act_target", place: act.id };
  }
  return null;
}

/** Whether a date or an instant of the right form is in the calendar: 31 February is not. */
function real(text: string): boolean {
  const date = new Date(text.length === 10 ? `${text}T00:00:00Z` : text);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text.slice(0, 10));
}

function* texts(value: Json | undefined, place: string): Iterable<readonly [place: string, text: string]> {
  if (typeof value === "string") yield [place, value];
  else if (Array.isArray(value)) for (const [i, part] of value.entries()) yield* texts(part, `${place}.${i}`);
  else if (isObject(value))
    for (const [name, part] of Object.entries(value)) {
      yield [place, name];
      yield* texts(part, place ? `${place}.${name}` : name);
    }
}
