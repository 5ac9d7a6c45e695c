/** Models, units, inspections and outreach as the screens see them, made of documents as this phone holds them. Pure. */
import { type Answers, answered, type Photo, type Value } from "../../core/checklist.ts";
import type { Place } from "../../core/documents.ts";
import { isObject, type Json, type JsonObject, sameJson } from "../../core/json.ts";
import { outcome } from "../../core/outcome.ts";
import type { ModelType } from "../../generated/schemas.ts";
import { FieldError, type ReviewView, type Where } from "../contract.ts";
import { type OwnValues, stillTold } from "../overruled.ts";
import { type Known, type Leaf, shown } from "../records.ts";
import { actsOf, type Campaign, pledgeId, reviewedWhere, textIn, whereOf } from "../views.ts";
import type {
  BulletinView,
  ChecklistView,
  FollowUp,
  HalfFilled,
  InspectionRow,
  ModelState,
  ModelView,
  OutreachKind,
  OutreachRow,
  OverruledView,
  Previous,
  ReturnedView,
  Subject,
  Topic,
  UnitKind,
  UnitRow,
  UnitStatus,
} from "./contract.ts";

export type Documents = ReadonlyMap<string, Known>;

export const ulidOf = (id: string) => id.slice(id.indexOf(":") + 1);
export const bodyOf = (known: Known | undefined): JsonObject => shown(known ?? null)?.body ?? {};
const numberIn = (value: Json | undefined) => (typeof value === "number" ? value : 0);
const objectIn = (value: Json | undefined): JsonObject => (isObject(value) ? value : {});

/** Titles and names of things, as people look them up: from the first letter on. */
export const byTitle = (a: string, b: string) => a.localeCompare(b, "vi");

/** Those of one type that are here and not deleted. */
export function ofType(known: Documents, type: string): Known[] {
  return [...known.values()].filter((one) => one.id.startsWith(`${type}:`) && shown(one));
}

/** Where a record is, for who wrote it: on this phone, with the office, and what the office made of it. */
export function placeOf(known: Known, review: ReviewView | null): Where {
  return reviewedWhere(whereOf([known]) ?? "received", review?.state ?? null) ?? "received";
}

/** What the server said of a record that it did not simply receive. */
export const reasonOf = (...known: readonly (Known | undefined)[]): string | null =>
  known.flatMap((one) => one?.own ?? []).find(({ reason }) => reason !== null)?.reason ?? null;

export function checklistOf(known: Known): ChecklistView {
  const [, slug = "", version = ""] = known.id.split(":");
  const { title, sections } = bodyOf(known);
  return {
    slug,
    version: Number(version),
    title: textIn(title),
    sections: sections as unknown as ChecklistView["sections"],
  };
}

/** The newest version of a checklist. */
export function newestChecklist(commune: Documents, slug: string): Known | undefined {
  return ofType(commune, "checklist")
    .filter((one) => one.id.startsWith(`checklist:${slug}:`))
    .sort((a, b) => checklistOf(a).version - checklistOf(b).version)
    .pop();
}

/** The newest version of each checklist for these kinds of model, by title. */
export function checklistsFor(commune: Documents, kinds: readonly string[]): ChecklistView[] {
  const slugs = new Set(ofType(commune, "checklist").map((one) => checklistOf(one).slug));
  return [...slugs]
    .flatMap((slug) => newestChecklist(commune, slug) ?? [])
    .filter((one) => kinds.includes(textIn(bodyOf(one).model)))
    .map(checklistOf)
    .sort((a, b) => byTitle(a.title, b.title));
}

/** What a unit is inspected by: a school's gate as the model is, else what staff wrote for anything. */
export const kindsForUnit = (kind: UnitKind): ModelType[] =>
  kind === "school" ? ["cong_truong", "other"] : ["other"];

function followUpOf({ follow_up }: JsonObject): FollowUp | null {
  return isObject(follow_up) ? (follow_up as unknown as FollowUp) : null;
}

export function inspectionRow(known: Known, review: ReviewView | null, user: string): InspectionRow {
  const body = bodyOf(known);
  return {
    id: ulidOf(known.id),
    subject: textIn(body.subject),
    date: textIn(body.date),
    mine: body.by === user,
    where: placeOf(known, review),
    followUp: followUpOf(body),
  };
}

export const photosOf = ({ photos }: JsonObject): readonly Photo[] =>
  (photos ?? []) as unknown as readonly Photo[];

const valuesOf = (body: JsonObject): JsonObject => objectIn(objectIn(body.answers).values);

/** All answers of an inspection, photographs included. */
export function answersOf(body: JsonObject): Answers {
  return answered(valuesOf(body) as Record<string, Value>, photosOf(body));
}

export function versionOf(body: JsonObject): { readonly slug: string; readonly version: number } {
  const { checklist, version } = objectIn(body.answers);
  return { slug: textIn(checklist), version: numberIn(version) };
}

/** Newest first; two of one day by id. */
export const newestFirst = <T extends { readonly date: string; readonly id: string }>(
  rows: readonly T[],
): T[] => [...rows].sort((a, b) => (a.date === b.date ? (a.id < b.id ? 1 : -1) : a.date < b.date ? 1 : -1));

/** The last inspection of a subject by this checklist, other than `id` and not after it. */
export function previousOf(
  known: Documents,
  subject: string,
  slug: string,
  own: { readonly id: string; readonly date: string } | null,
): Previous | null {
  const earlier = ofType(known, "inspection")
    .map((one) => ({ id: ulidOf(one.id), date: textIn(bodyOf(one).date), body: bodyOf(one) }))
    .filter(({ body }) => body.subject === subject && versionOf(body).slug === slug)
    .filter(({ id, date }) => !own || date < own.date || (date === own.date && id < own.id));
  const [last] = newestFirst(earlier);
  return last ? { date: last.date, answers: answersOf(last.body) } : null;
}

/** The inspections of one subject, and what they left to do: the earliest that is due. */
export function subjectOf(id: string, name: string, inspections: readonly InspectionRow[]): Subject {
  const own = newestFirst(inspections.filter(({ subject }) => subject === id));
  const [todo = null] = own
    .flatMap(({ followUp, id: inspection }) =>
      followUp && !followUp.done ? [{ ...followUp, inspection }] : [],
    )
    .sort((a, b) => (a.due < b.due ? -1 : 1));
  return { id: ulidOf(id), name, inspections: own, todo };
}

/** Whether a model stands in a hamlet: in this one, or in the whole commune. */
export function isIn(model: Known, hamlet: string): boolean {
  const { hamlets } = bodyOf(model);
  return !Array.isArray(hamlets) || hamlets.length === 0 || hamlets.includes(hamlet);
}

export function modelView(
  known: Known,
  inspections: readonly InspectionRow[],
  checklists: readonly ChecklistView[],
): ModelView {
  const body = bodyOf(known);
  const state = objectIn(body.state);
  return {
    ...subjectOf(known.id, textIn(body.name), inspections),
    kind: textIn(body.kind) as ModelType,
    state: textIn(state.is) as ModelState,
    since: textIn(state.since),
    decision: isObject(body.decision) ? (body.decision as unknown as ModelView["decision"]) : null,
    points: numberIn(body.points),
    groups: numberIn(body.groups),
    note: textIn(body.note),
    checklists,
  };
}

export function unitRow(
  known: Known,
  pledge: Known | null,
  inspections: readonly InspectionRow[],
  review: ReviewView | null,
): UnitRow {
  const body = bodyOf(known);
  return {
    ...subjectOf(known.id, textIn(body.name), inspections),
    kind: textIn(body.kind) as UnitKind,
    inScope: body.in_scope === true,
    place: objectIn(body.place) as Place,
    status: textIn(objectIn(body.status).is) as UnitStatus,
    outcome: outcome(actsOf(pledge)),
    where: reviewedWhere(whereOf([known, pledge]) ?? "received", review?.state ?? null) ?? "received",
  };
}

export function outreachRow(known: Known, review: ReviewView | null, user: string): OutreachRow {
  const body = bodyOf(known);
  return {
    id: ulidOf(known.id),
    kind: textIn(body.kind) as OutreachKind,
    date: textIn(body.date),
    place: textIn(body.place),
    present: numberIn(body.present),
    topics: (body.topics ?? []) as unknown as readonly Topic[],
    note: textIn(body.note),
    mine: body.by === user,
    where: placeOf(known, review),
    review,
    reason: reasonOf(known),
  };
}

/** What the office tells today, to those who walk these hamlets. */
export function bulletinsOf(
  commune: Documents,
  today: string,
  mine: readonly string[],
  read: readonly string[],
): BulletinView[] {
  return ofType(commune, "bulletin")
    .map((one) => ({ id: ulidOf(one.id), body: bodyOf(one) }))
    .filter(({ body }) => textIn(body.from) <= today && today <= textIn(body.until))
    .filter(({ body }) => {
      const hamlets = body.hamlets as readonly string[];
      return hamlets.length === 0 || hamlets.some((one) => mine.includes(one));
    })
    .map(({ id, body }) => ({
      id,
      title: textIn(body.title),
      text: textIn(body.text),
      from: textIn(body.from),
      read: read.includes(id),
    }))
    .sort((a, b) => (a.from === b.from ? (a.id < b.id ? 1 : -1) : a.from < b.from ? 1 : -1));
}

/** The name of what is inspected; of an outreach its place. */
export function nameOf(known: Documents, commune: Documents, id: string): string {
  const body = bodyOf(known.get(id) ?? commune.get(id));
  return String(body.name ?? body.place ?? "");
}

/** Which record of the screens a reviewed document belongs to, and what names it. */
export function recordOf(known: Documents, id: string) {
  const own = id.startsWith("pledge:")
    ? ["household", "unit"].map((kind) => `${kind}:${id.slice(-26)}`)
    : [id];
  const found = own.find((one) => known.has(one));
  if (!found) return null;
  const kind = found.slice(0, found.indexOf(":")) as ReturnedView["kind"];
  const named = kind === "inspection" ? String(bodyOf(known.get(found)).subject) : found;
  return { kind, id: ulidOf(found), named };
}

/** Own values that do not stand, beside those that do; an inspection's answers question by question. */
export function overruledViews(
  values: OwnValues,
  winner: JsonObject,
  commune: Documents,
): readonly OverruledView[] {
  return Object.entries(stillTold(values, winner)).flatMap(([field, why]): OverruledView[] => {
    const mine = values[field]?.value;
    const kept = winner[field];
    if (field !== "answers") return [{ field, item: null, mine, kept, why }];
    const own = objectIn(objectIn(mine).values);
    const stands = objectIn(objectIn(kept).values);
    const { slug, version } = versionOf(winner);
    const checklist = commune.get(`checklist:${slug}:${version}`);
    const items = checklist ? checklistOf(checklist).sections.flatMap((section) => section.items) : [];
    return items
      .filter(({ id }) => !sameJson(own[id] ?? null, stands[id] ?? null))
      .map((item) => ({ field, item, mine: own[item.id], kept: stands[item.id], why }));
  });
}

/** A document that is here. Raises FieldError `missing`. */
export function held(known: Documents, id: string): Known {
  const found = known.get(id);
  if (!found || !shown(found)) throw new FieldError("missing", id);
  return found;
}

export const leafOf = (known: Known) => shown(known) as Leaf;

/**
 * What the save of a correction will be a child of. Where a question that was answered in it was answered otherwise by
 * somebody else since it began, of what it began on: nobody has seen both answers, and the office is to choose.
 */
export function baseOf(now: Leaf, kept: HalfFilled | null | undefined): Leaf {
  if (!kept?.base) return now;
  const begun = kept.base as Leaf;
  const [was, stands] = [valuesOf(begun.body), valuesOf(now.body)];
  const mine = kept.values as JsonObject;
  const twice = Object.keys({ ...was, ...mine }).some(
    (item) =>
      !sameJson(mine[item], was[item]) &&
      !sameJson(stands[item], was[item]) &&
      !sameJson(mine[item], stands[item]),
  );
  return twice ? begun : now;
}

export function pledgeOf(known: Documents, campaign: Campaign | null, unit: string): Known | null {
  return (campaign && known.get(pledgeId(campaign.id, unit))) || null;
}
