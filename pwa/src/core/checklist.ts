/**
 * Which items of a checklist apply, what is wrong with a set of answers, and what they score.
 *
 * The same decisions as `server/checklists/check.py`, which explains them; both are held to
 * `tests/vectors/checklists.json`.
 */
import type { InspectionDocument } from "../generated/schemas.ts";
import { tidy } from "./edit.ts";

export type Value = boolean | number | string | readonly string[];
export type Answers = Readonly<Record<string, Value | undefined>>;

export interface Test {
  readonly equals?: boolean | number | string;
  readonly at_least?: number;
  readonly at_most?: number;
  readonly one_of?: readonly string[];
}

export type Condition =
  | (Test & { readonly item: string })
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition };

export interface Option {
  readonly id: string;
  readonly label: string;
}

export interface Item {
  readonly id: string;
  readonly kind: "yes_no" | "number" | "choice" | "multi" | "text" | "photo";
  readonly label: string;
  readonly source: string;
  readonly unit?: string;
  readonly min?: number;
  /** The greatest number; the most photographs. */
  readonly max?: number;
  readonly options?: readonly Option[];
  readonly required?: boolean;
  readonly when?: Condition;
  readonly good?: Test;
  readonly points?: number;
}

/** What of a `checklist` document decides; its id names slug and version. */
export interface Checklist {
  readonly sections: readonly {
    readonly id: string;
    readonly title: string;
    readonly items: readonly Item[];
  }[];
}

/** A key of the words catalogues: `checklist.<key>`. */
export type ProblemKey =
  | "required"
  | "empty"
  | "not_yes_no"
  | "not_a_number"
  | "out_of_range"
  | "not_an_option"
  | "too_long"
  | "not_a_photo"
  | "unknown_item";

export interface Problem {
  readonly item: string;
  readonly key: ProblemKey;
}

export interface Score {
  readonly earned: number;
  readonly possible: number;
}

const items = (checklist: Checklist): Item[] => checklist.sections.flatMap((section) => section.items);

/** Whether a value passes a test. A list passes `one_of` where it holds any of them. */
export function passes(test: Test, value: Value | undefined): boolean {
  if (value === undefined) return false;
  if (test.equals !== undefined && value !== test.equals) return false;
  if (test.at_least !== undefined && !(typeof value === "number" && value >= test.at_least)) return false;
  if (test.at_most !== undefined && !(typeof value === "number" && value <= test.at_most)) return false;
  if (test.one_of === undefined) return true;
  const wanted = test.one_of;
  return Array.isArray(value) ? value.some((one) => wanted.includes(one)) : wanted.includes(value as string);
}

/** Whether a condition holds for the answers to the items that apply. */
export function holds(condition: Condition, answers: Answers): boolean {
  if ("all" in condition) return condition.all.every((part) => holds(part, answers));
  if ("any" in condition) return condition.any.some((part) => holds(part, answers));
  if ("not" in condition) return !holds(condition.not, answers);
  return passes(condition, answers[condition.item]);
}

/** A photograph of an inspection, or what takes one back (schemas/inspection.json, `photos`). */
export type Photo = InspectionDocument["photos"][number];

/** The answers of an inspection: its `values`, and for each item its photographs that nobody removed. */
export function answered(values: Answers, photos: readonly Photo[]): Answers {
  const removed = new Set(photos.map((photo) => ("removes" in photo ? photo.removes : "")));
  const shown: Record<string, string[]> = {};
  for (const photo of photos)
    if ("item" in photo && !removed.has(photo.id))
      shown[photo.item] = [...(shown[photo.item] ?? []), photo.id];
  return { ...values, ...shown };
}

/** The items that apply. What was answered to an item that no longer applies counts as not answered. */
export function applicable(checklist: Checklist, answers: Answers): Item[] {
  const counted: Record<string, Value | undefined> = {};
  return items(checklist).filter((item) => {
    if (item.when !== undefined && !holds(item.when, counted)) return false;
    counted[item.id] = answers[item.id];
    return true;
  });
}

/** The answers that count: to items that apply, none empty, texts as the schemas want them. */
export function cleaned(checklist: Checklist, values: Answers, photos: readonly Photo[]): Answers {
  const tidied: Record<string, Value> = {};
  for (const [item, value] of Object.entries(values)) {
    const kept = typeof value === "string" ? tidy(value) : value;
    if (kept !== undefined && kept !== "" && !(Array.isArray(kept) && kept.length === 0)) tidied[item] = kept;
  }
  const asked = applicable(checklist, answered(tidied, photos)).map(({ id }) => id);
  return Object.fromEntries(Object.entries(tidied).filter(([item]) => asked.includes(item)));
}

/** All that is wrong with the answers, in the order of the items; unknown items last. */
export function problems(checklist: Checklist, answers: Answers): Problem[] {
  const found: Problem[] = [];
  for (const item of applicable(checklist, answers)) {
    const key = wrong(item, answers[item.id]);
    if (key !== null) found.push({ item: item.id, key });
  }
  const known = new Set(items(checklist).map((item) => item.id));
  const unknown = Object.keys(answers).filter((name) => !known.has(name));
  return [...found, ...unknown.sort().map((item) => ({ item, key: "unknown_item" as const }))];
}

/** Points earned and possible over the items that apply and carry points. */
export function score(checklist: Checklist, answers: Answers): Score {
  let earned = 0;
  let possible = 0;
  for (const item of applicable(checklist, answers)) {
    if (item.points === undefined || item.good === undefined) continue;
    possible += item.points;
    if (passes(item.good, answers[item.id])) earned += item.points;
  }
  return { earned, possible };
}

const SHA256 = /^[0-9a-f]{64}$/;
const TEXT_LIMIT = 200;

function wrong(item: Item, value: Value | undefined): ProblemKey | null {
  const empty = value === "" || (Array.isArray(value) && value.length === 0);
  if (value === undefined || empty) return item.required ? "required" : empty ? "empty" : null;
  switch (item.kind) {
    case "yes_no":
      return typeof value === "boolean" ? null : "not_yes_no";
    case "number":
      if (typeof value !== "number" || !Number.isInteger(value)) return "not_a_number";
      return value >= (item.min ?? 0) && value <= (item.max ?? 0) ? null : "out_of_range";
    case "choice":
    case "multi": {
      const chosen: readonly unknown[] = item.kind === "multi" && Array.isArray(value) ? value : [value];
      const options: readonly unknown[] = (item.options ?? []).map((option) => option.id);
      const twice = new Set(chosen).size !== chosen.length;
      return twice || chosen.some((one) => !options.includes(one)) ? "not_an_option" : null;
    }
    case "text":
      return typeof value === "string" && [...value].length <= TEXT_LIMIT ? null : "too_long";
    case "photo":
      return Array.isArray(value) && value.length <= (item.max ?? 0) && value.every((one) => SHA256.test(one))
        ? null
        : "not_a_photo";
  }
}
