/** The exchange on the wire, as `sync/exchange.py` describes it: reading the parts of an answer. */
import { isObject, type JsonObject } from "../core/json.ts";

const STATUSES = [
  ...(["received", "absorbed", "forbidden", "quarantined", "clock", "erased", "too_large", "later"] as const),
];

export type Status = (typeof STATUSES)[number];

export interface Outcome {
  readonly id: string;
  readonly rev: string;
  readonly is: Status;
  readonly reason: string | null;
}

/** The winner of one document, as far as this request changed or found it. */
export interface Row {
  readonly id: string;
  readonly rev: string;
  readonly revs: readonly string[];
  /** Absent where it came in this request, or is deleted. */
  readonly doc?: JsonObject;
  readonly deleted: boolean;
  /** Revisions that were merged into the winner. */
  readonly absorbed: readonly string[];
}

export type Part =
  | { readonly kind: "hello"; readonly clock: number; readonly dbs: readonly string[] }
  | { readonly kind: "skew"; readonly skew: number }
  | { readonly kind: "outcomes"; readonly db: string; readonly outcomes: readonly Outcome[] }
  | {
      readonly kind: "rows";
      readonly db: string;
      readonly rows: readonly Row[];
      readonly position: string;
      readonly more: boolean;
    }
  | { readonly kind: "lost"; readonly db: string }
  | { readonly kind: "gone"; readonly db: string }
  | {
      readonly kind: "missing";
      readonly db: string;
      readonly missing: readonly (readonly [string, string])[];
    }
  /** `later`: why what came and has no outcome was not taken now; it goes again another time. */
  | { readonly kind: "done"; readonly later: string | null };

/** A revision, and a digest of what it says here: the server may hold something else by its name. */
export type Named = readonly [id: string, rev: string, says?: string];

/** What one database has to say in a request. Empty fields are left out. */
export interface Asked {
  readonly since: string | null;
  readonly docs?: readonly JsonObject[];
  readonly waiting?: readonly Named[];
  readonly have?: readonly Named[];
}

export interface Request {
  readonly clock: number;
  readonly dbs: Readonly<Record<string, Asked>>;
}

/** An answer that this program does not understand. */
export class BadAnswer extends Error {}

/** One line of the answer. Raises BadAnswer. */
export function parsePart(line: string): Part {
  const value = parsed(line);
  if (value.done === true) return { kind: "done", later: optional(value.later) };
  if (typeof value.skew === "number") return { kind: "skew", skew: value.skew };
  if (typeof value.clock === "number") return { kind: "hello", clock: value.clock, dbs: texts(value.dbs) };
  const db = text(value.db);
  if (value.outcomes !== undefined)
    return { kind: "outcomes", db, outcomes: list(value.outcomes).map(outcome) };
  if (value.rows !== undefined)
    return {
      kind: "rows",
      db,
      rows: list(value.rows).map(row),
      position: text(value.position),
      more: value.more === true,
    };
  if (value.missing !== undefined) return { kind: "missing", db, missing: list(value.missing).map(pair) };
  if (value.position_lost === true) return { kind: "lost", db };
  if (value.gone === true) return { kind: "gone", db };
  throw new BadAnswer("a part of an unknown kind");
}

function parsed(line: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new BadAnswer("a part that is no JSON");
  }
  if (!isObject(value)) throw new BadAnswer("a part that is no object");
  return value;
}

export function outcome(value: unknown): Outcome {
  const [id, rev, is, reason] = list(value);
  // A status of a later server is on its disk as far as we can tell; what it means, the next app knows.
  const known = STATUSES.find((status) => status === text(is)) ?? "quarantined";
  return { id: text(id), rev: text(rev), is: known, reason: optional(reason) };
}

/** A text that may be missing. */
export const optional = (value: unknown) => (typeof value === "string" ? value : null);

function row(value: unknown): Row {
  if (!isObject(value)) throw new BadAnswer("a row that is no object");
  const { id, rev, revs, doc, deleted, absorbed } = value;
  return {
    id: text(id),
    rev: text(rev),
    revs: texts(revs),
    deleted: deleted === true,
    absorbed: absorbed === undefined ? [] : texts(absorbed),
    ...(isObject(doc) ? { doc } : {}),
  };
}

function pair(value: unknown): readonly [string, string] {
  const [id, rev] = list(value);
  return [text(id), text(rev)];
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new BadAnswer("a list was expected");
  return value;
}

function text(value: unknown): string {
  if (typeof value !== "string") throw new BadAnswer("a text was expected");
  return value;
}

function texts(value: unknown): readonly string[] {
  return list(value).map(text);
}
