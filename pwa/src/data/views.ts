/** What the screens see, made of documents as this phone holds them. Pure. */
import type { Act, HouseholdStatus, Place } from "../core/documents.ts";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import { countsAsSigned, outcome, takenBack } from "../core/outcome.ts";
import { tips } from "../core/revision.ts";
import { localDay } from "../core/wording.ts";
import type {
  ActView,
  CampaignView,
  HamletView,
  HouseholdRow,
  HouseholdView,
  ProblemView,
  ReviewView,
  TextView,
  Where,
} from "./contract.ts";
import { type Known, type OwnLeaf, shown } from "./records.ts";

export type Campaign = CampaignView & { readonly statuses: readonly string[] };

/** The open campaign that started last. */
export function campaignOf(known: Iterable<Known>): Campaign | null {
  const open = [...known]
    .flatMap(({ id, winner }) => (winner?.body.type === "campaign" ? [{ id, body: winner.body }] : []))
    .filter(({ body }) => body.state === "open")
    .sort((a, b) => compare(a.body.starts, b.body.starts) || compare(a.id, b.id))
    .pop();
  if (!open) return null;
  const { name, starts, ends, target, touch_counts, clauses, notice, counts } = open.body;
  return {
    id: open.id.slice("campaign:".length),
    name: name as string,
    starts: starts as string,
    ends: ends as string,
    target: target as number,
    touchCounts: touch_counts as boolean,
    clauses: clauses as number,
    notice: notice as number,
    statuses: counts as string[],
  };
}

/** Clauses or a notice; null where this phone has none of that version. */
export function textOf(known: Known | null, version: number): TextView | null {
  const body = known?.winner?.body;
  return body ? { version, title: body.title as string, items: body.items as string[] } : null;
}

/** The household and pledge documents of a hamlet, joined by household. */
export interface Pair {
  readonly household: Known;
  readonly pledge: Known | null;
  /** Staff want one of them corrected. */
  readonly returned: boolean;
}

/** `returned`: the ids of what staff returned. */
export function pairs(
  known: ReadonlyMap<string, Known>,
  campaign: string | null,
  returned: ReadonlyMap<string, unknown> = new Map(),
): Pair[] {
  const found: Pair[] = [];
  for (const household of known.values()) {
    if (!household.id.startsWith("household:") || !shown(household)) continue;
    const pledge = campaign === null ? undefined : known.get(pledgeId(campaign, ulidOf(household)));
    found.push({
      household,
      pledge: pledge ?? null,
      returned: returned.has(household.id) || (pledge !== undefined && returned.has(pledge.id)),
    });
  }
  return found;
}

export const pledgeId = (campaign: string, household: string) => `pledge:${campaign}:${household}`;
const ulidOf = ({ id }: Known) => id.slice("household:".length);

/** One row of the walk. */
export function rowOf({ household, pledge, returned }: Pair, campaign: Campaign | null): HouseholdRow {
  const body = shown(household)?.body ?? {};
  const { is: status } = statusOf(household);
  return {
    id: ulidOf(household),
    name: textIn(body.name),
    place: (isObject(body.place) ? body.place : {}) as Place,
    order: typeof body.order === "number" ? body.order : 0,
    status,
    counts: campaign?.statuses.includes(status) ?? false,
    outcome: outcome(actsOf(pledge)),
    where: reviewedWhere(whereOf([household, pledge]), returned ? "returned" : null),
  };
}

/**
 * A later program may have written the document in a shape of its own: what is not understood is left out. What staff
 * have merged is merged, whatever waits here to say otherwise.
 */
export function statusOf(household: Known) {
  const [there, here] = [household.winner, shown(household)].map((leaf) => leaf?.body.status);
  const status = isObject(there) && there.is === "merged_into" ? there : here;
  const { is, since, into } = isObject(status) ? status : {};
  return {
    is: textIn(is, "resident") as HouseholdStatus,
    ...{ since: textIn(since), into: textIn(into) },
  };
}

export const textIn = (value: Json | undefined, otherwise = "") =>
  typeof value === "string" ? value : otherwise;

/** By place on the walk; two at one place by id, the older first. */
export function inWalkingOrder(rows: readonly HouseholdRow[]): HouseholdRow[] {
  return [...rows].sort((a, b) => a.order - b.order || compare(a.id, b.id));
}

export function householdOf(
  hamlet: string,
  pair: Pair,
  campaign: Campaign | null,
  user: string,
  overruled: readonly string[],
  review: ReviewView | null,
  other: Known | null,
): HouseholdView {
  const { household, pledge } = pair;
  const leaves = [...household.own, ...(pledge?.own ?? [])];
  const row = rowOf(pair, campaign);
  return {
    ...row,
    where: reviewedWhere(row.where, review?.state ?? null),
    review,
    hamlet,
    since: statusOf(household).since,
    acts: actViews(pledge, user),
    reason: leaves.find(({ reason }) => reason !== null)?.reason ?? null,
    overruled: overruled as HouseholdView["overruled"],
    into: other && { id: ulidOf(other), name: textIn(shown(other)?.body.name) },
  };
}

/**
 * All acts that any leaf here holds: a set grows only, so what a colleague's winner has and what is still unsent
 * stand side by side before the server has joined them.
 */
export function actsOf(pledge: Known | null): Act[] {
  const byId = new Map<string, Act>();
  for (const leaf of pledge ? [...(pledge.winner ? [pledge.winner] : []), ...pledge.own] : [])
    for (const act of actsIn(leaf.body)) byId.set(act.id, act);
  return [...byId.values()].sort((a, b) => compare(a.at, b.at) || compare(a.id, b.id));
}

/** The acts of a pledge, oldest first. */
export function actViews(pledge: Known | null, user: string): ActView[] {
  const acts = actsOf(pledge);
  const gone = takenBack(acts);
  return acts.map((act) => {
    const stands = !gone.has(act.id);
    const mine = act.by === user && (act.kind === "visit" || act.kind === "signed");
    return { act, where: whereOfAct(pledge, act.id), stands, canVoid: stands && mine };
  });
}

function actsIn({ acts }: JsonObject): readonly Act[] {
  return Array.isArray(acts) ? (acts as unknown as Act[]) : [];
}

function whereOfAct(pledge: Known | null, id: string): Where {
  const has = ({ body }: { readonly body: JsonObject }) => actsIn(body).some((act) => act.id === id);
  if (pledge?.winner && has(pledge.winner)) return "received";
  return worst((pledge?.own ?? []).filter(has)) ?? "received";
}

/** Where the records of a household are: the least safe of them. */
export function whereOf(known: readonly (Known | null)[]): Where | null {
  const unsettled = worst(known.flatMap((one) => one?.own ?? []));
  if (unsettled) return unsettled;
  const recorded = known.some((one) => one?.id.startsWith("pledge:") && one.winner);
  return recorded ? "received" : null;
}

/** What staff decided says where a record is once it has reached them. */
export function reviewedWhere(where: Where | null, review: Where | null): Where | null {
  return where === null || where === "received" ? (review ?? where) : where;
}

const SAFE = ["refused", "phone", "carried", "held", "received"] as const;
const WHERE = { unsent: "phone", received: "received", held: "held", refused: "refused" } as const;

function worst(own: readonly OwnLeaf[]): Where | null {
  const places = own.map(whereOfLeaf);
  // Of what is carried, what was handed over first.
  return SAFE.flatMap((kind) => places.filter((place) => place.startsWith(kind)).sort())[0] ?? null;
}

function whereOfLeaf({ state, carried }: OwnLeaf): Where {
  return state === "unsent" && carried !== undefined ? `carried ${localDay(carried)}` : WHERE[state];
}

export function namesOf(id: string, doc: Known | null): Pick<HamletView, "kind" | "name"> {
  const { kind = "", name = id } = (doc?.winner?.body ?? {}) as { kind?: string; name?: string };
  return { kind, name };
}

export function hamletOf(
  id: string,
  doc: Known | null,
  known: ReadonlyMap<string, Known>,
  campaign: Campaign | null,
  gone: boolean,
): HamletView {
  const all = pairs(known, campaign?.id ?? null);
  const counted = all.filter((pair) => rowOf(pair, campaign).counts);
  const isSigned = ({ pledge }: Pair) => countsAsSigned(actsOf(pledge), campaign?.touchCounts ?? false);
  const tried = ({ pledge }: Pair) => outcome(actsOf(pledge)) !== "none";
  // A signature travels with its pledge, and is no record of its own.
  const records = [...known.values()].filter((one) => !one.id.startsWith("signature:"));
  return {
    id,
    ...namesOf(id, doc),
    order: (doc?.winner?.body.order as number) ?? 0,
    total: counted.length,
    signed: counted.filter(isSigned).length,
    visited: counted.filter((pair) => tried(pair) && !isSigned(pair)).length,
    target: campaign?.target ?? null,
    gone,
    waiting: records.flatMap(({ own }) => tips(own).filter((leaf) => leaf.state === "unsent")).length,
  };
}

/** The records of a hamlet that want attention; `overruled`: ids of documents of which an own value lost. */
export function problemsOf(
  hamlet: string,
  place: ProblemView["place"],
  known: ReadonlyMap<string, Known>,
  overruled: ReadonlySet<string>,
): ProblemView[] {
  return [...known.values()].flatMap((record) => {
    const pledge = record.id.startsWith("pledge:");
    const of = pledge ? pledged(known, record.id) : record;
    // Whose pledge it is may have left this phone, with its hamlet.
    const [kind = "", id = ""] = of?.id.split(":") ?? ["household", record.id.slice(-26)];
    if (!isKind(kind)) return [];
    const body = shown(of ?? null)?.body ?? {};
    const name = textIn(body.name) || textIn(body.place) || textIn(body.date);
    const about = { hamlet, place, kind, id, name, doc: record.id, act: null };
    const heldBack = tips(record.own).flatMap(({ state, reason, body }) =>
      state === "held" || state === "refused"
        ? [{ ...about, act: actsIn(body).slice(-1)[0] ?? null, where: WHERE[state], reason }]
        : [],
    );
    const told = overruled.has(record.id);
    const lost = told ? [{ ...about, where: "overruled", reason: null } as const] : [];
    return [...heldBack, ...lost];
  });
}

/** The household or unit that a pledge is of. */
function pledged(known: ReadonlyMap<string, Known>, pledge: string): Known | undefined {
  const ulid = pledge.slice(-26);
  return known.get(`household:${ulid}`) ?? known.get(`unit:${ulid}`);
}

const KINDS: readonly string[] = ["household", "unit", "inspection", "outreach"];
const isKind = (kind: string): kind is ProblemView["kind"] => KINDS.includes(kind);

export function compare(a: Json | undefined, b: Json | undefined): number {
  return String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0;
}
