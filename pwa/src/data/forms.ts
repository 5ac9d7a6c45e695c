/** What the screens record, as drafts to be saved. A form remembers the revisions that it opened on. */
import { canonical } from "../core/canonical.ts";
import type { Act, Signed, Strokes, Visit, VisitResult, Voided } from "../core/documents.ts";
import { edited, tidy } from "../core/edit.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { ulid } from "../core/ulid.ts";
import { localDay } from "../core/wording.ts";
import { hex, utf8 } from "./bytes.ts";
import {
  type ActView,
  FieldError,
  type Form,
  type HouseholdChange,
  type HouseholdView,
  type MeetingRecord,
  type NewHousehold,
  type Signing,
} from "./contract.ts";
import type { Bytes } from "./env.ts";
import { type Leaf, readAll, readOne, type Session, shown } from "./records.ts";
import { graver, reviewOf } from "./reviews.ts";
import type { Draft, Moment } from "./save.ts";
import {
  type Campaign,
  householdOf,
  inWalkingOrder,
  type Pair,
  pairs,
  pledgeId,
  rowOf,
  statusOf,
} from "./views.ts";

export const databaseOf = (hamlet: string) => `hamlet-${hamlet}`;

/** A form with the leaves that it opened on. */
export class OpenForm implements Form {
  constructor(
    readonly hamlet: string,
    readonly household: string,
    readonly shown: HouseholdView,
    readonly campaign: Campaign | null,
    /** The household's leaf and the pledge's, as the form shows them. */
    readonly bases: { readonly household: Leaf; readonly pledge: Leaf | null },
  ) {}
}

export async function openForm(
  session: Session,
  campaign: Campaign | null,
  asked: string,
  household: string,
): Promise<OpenForm> {
  const hamlet = await placeOf(session, asked, household);
  const pair = await pairAt(session, campaign, hamlet, household);
  const view = await viewOf(session, campaign, hamlet, pair);
  const bases = { household: shown(pair.household) as Leaf, pledge: shown(pair.pledge) };
  return new OpenForm(hamlet, household, view, campaign, bases);
}

/** A household as the screens see it. */
export async function viewOf(
  session: Session,
  campaign: Campaign | null,
  hamlet: string,
  pair: Pair,
): Promise<HouseholdView> {
  const db = databaseOf(hamlet);
  const [lost, ...reviews] = await Promise.all([
    session.db.get("overruled", [db, pair.household.id]),
    reviewOf(session, db, pair.household),
    reviewOf(session, db, pair.pledge),
  ]);
  const review = graver(...reviews);
  const { into } = statusOf(pair.household);
  const other = await readOne(session, db, `household:${into}`);
  return householdOf(hamlet, pair, campaign, session.account.user.id, lost?.fields ?? [], review, other);
}

/**
 * The hamlet where a household is: the one that was asked for, else, since it may have moved while its screen was
 * open, another that this phone holds. Raises FieldError `missing`.
 */
export async function placeOf(session: Session, hamlet: string, household: string): Promise<string> {
  const names = (await session.db.getAllKeys("databases")).filter((name) => name.startsWith("hamlet-"));
  for (const db of [databaseOf(hamlet), ...names])
    if (shown(await readOne(session, db, `household:${household}`))) return db.slice("hamlet-".length);
  throw new FieldError("missing", household);
}

/** The documents of one household. Raises FieldError `missing`. */
export async function pairAt(
  session: Session,
  campaign: Campaign | null,
  hamlet: string,
  household: string,
): Promise<Pair> {
  const db = databaseOf(hamlet);
  const found = await readOne(session, db, `household:${household}`);
  if (!found || !shown(found)) throw new FieldError("missing", household);
  const pledge = campaign ? await readOne(session, db, pledgeId(campaign.id, household)) : null;
  return { household: found, pledge, returned: false };
}

export async function addHousehold(
  session: Session,
  hamlet: string,
  { name, place, after }: NewHousehold,
): Promise<{ readonly id: string; readonly draft: Draft }> {
  const db = databaseOf(hamlet);
  const known = await readAll(session, db, "household:");
  if (known.size === 0 && !(await session.db.get("databases", db))) throw new FieldError("missing", hamlet);
  const order = placeAfter(inWalkingOrder(pairs(known, null).map((pair) => rowOf(pair, null))), after);
  const id = ulid(session.env.now(), session.env.random(10));
  const make = ({ stamp, ms }: Moment) => ({
    body: edited(
      null,
      "household",
      {
        fields: {
          name: tidy(name),
          ...placeField(place),
          order,
          status: { is: "resident", since: localDay(ms) },
        },
      },
      stamp,
      session.account.user.id,
    ),
    acts: [],
  });
  return { id, draft: { db, id: `household:${id}`, base: null, make } };
}

/** Between two neighbours where there is room, else at the same place: the older one then comes first. */
function placeAfter(rows: readonly { id: string; order: number }[], after: string | undefined): number {
  const last = rows[rows.length - 1]?.order ?? 0;
  if (after === undefined) return Math.min(last + 10, 999_999);
  const at = rows.findIndex(({ id }) => id === after);
  if (at < 0) throw new FieldError("missing", after);
  const before = rows[at]?.order ?? 0;
  const next = rows[at + 1]?.order ?? before + 20;
  return Math.min(Math.floor((before + next) / 2), 999_999);
}

/** No entry where nothing was written: an empty text is no place. */
export function placeField(place: HouseholdChange["place"]): { place?: Json } {
  const parts = Object.entries(place ?? {}).map(([part, text]) => [part, tidy(text ?? "")] as const);
  const written = parts.filter(([, text]) => text !== "");
  return written.length > 0 ? { place: Object.fromEntries(written) } : {};
}

export function editHousehold(session: Session, form: OpenForm, change: HouseholdChange): Draft {
  const { name, place, order, status } = change;
  const fields: Record<string, Json | undefined> = {
    ...(name === undefined ? {} : { name: tidy(name) }),
    // A place emptied is a place cleared.
    ...(place === undefined ? {} : { place: placeField(place).place }),
    ...(order === undefined ? {} : { order }),
    ...(status === undefined ? {} : { status }),
  };
  const base = form.bases.household;
  const by = session.account.user.id;
  const make: Draft["make"] = ({ stamp }, base) => ({
    body: edited(base?.body ?? null, "household", { fields }, stamp, by),
    acts: [],
  });
  return { db: databaseOf(form.hamlet), id: `household:${form.household}`, base, make };
}

/** An act without what the moment of saving gives it. */
export type NewAct =
  | Omit<Visit, "id" | "at" | "by">
  | Omit<Signed, "id" | "at" | "by">
  | Omit<Voided, "id" | "at" | "by">;

function pledgeDraft(
  session: Session,
  campaign: Campaign,
  at: Pick<Pledging, "hamlet" | "of" | "base">,
  ...recorded: readonly NewAct[]
): Draft {
  const random = recorded.map(() => session.env.random(10));
  const by = session.account.user.id;
  const make: Draft["make"] = (moment, base) => {
    const acts = recorded.map((act, i) => {
      const id = ulid(moment.ms, random[i] as Bytes);
      return { id, at: moment.at, by, ...act } as Act;
    });
    const body = edited(base?.body ?? null, "pledge", { acts }, moment.stamp, by);
    return { body, acts: acts.map(({ id }) => id) };
  };
  return { db: databaseOf(at.hamlet), id: pledgeId(campaign.id, at.of), base: at.base, make };
}

/** Where a pledge goes: a household's or a unit's, and the leaf that its form opened on. */
export interface Pledging {
  readonly hamlet: string;
  /** The ULID of the household or the unit. */
  readonly of: string;
  readonly campaign: Campaign | null;
  readonly base: Leaf | null;
  readonly acts: readonly ActView[];
}

function inForce({ campaign }: Pledging): Campaign {
  if (!campaign) throw new FieldError("no_campaign");
  return campaign;
}

/** A household's. */
export function pledging({ hamlet, household, campaign, bases, shown }: OpenForm): Pledging {
  return { hamlet, of: household, campaign, base: bases.pledge, acts: shown.acts };
}

export function visit(session: Session, at: Pledging, result: VisitResult): Draft {
  return pledgeDraft(session, inForce(at), at, { kind: "visit", result });
}

/** The pledge, and the signature's own document where it was drawn. */
export async function signing(session: Session, at: Pledging, what: Signing): Promise<Draft[]> {
  const campaign = inForce(at);
  const { signer, role, title, method, assisted, readAloud, witness, strokes } = what;
  if ((method === "touch") !== (strokes !== undefined)) throw new FieldError("invalid", "strokes");
  const drawn = strokes ? await signature(session, at.hamlet, strokes) : null;
  const act: NewAct = {
    kind: "signed",
    signer: tidy(signer),
    ...{ role, method, assisted },
    ...(title ? { title: tidy(title) } : {}),
    ...(witness ? { witness } : {}),
    clauses: campaign.clauses,
    notice: campaign.notice,
    read_aloud: readAloud,
    ...(drawn ? { signature: drawn.id.slice("signature:".length) } : {}),
  };
  return [pledgeDraft(session, campaign, at, act), ...(drawn ? [drawn] : [])];
}

const SIGNATURE_BYTES = 600;

async function signature(session: Session, hamlet: string, strokes: Strokes): Promise<Draft> {
  const bytes = utf8(canonical(strokes as unknown as Json));
  if (bytes.length > SIGNATURE_BYTES) throw new FieldError("invalid", "strokes: too long");
  const digest = hex(new Uint8Array(await session.env.subtle.digest("SHA-256", bytes)));
  const by = session.account.user.id;
  const fields = { strokes: strokes as unknown as Json };
  const make = ({ stamp }: Moment): { body: JsonObject; acts: [] } => ({
    body: edited(null, "signature", { fields }, stamp, by),
    acts: [],
  });
  return { db: databaseOf(hamlet), id: `signature:${digest}`, base: null, make };
}

/**
 * Takes an own visit or signature back; `instead` is what should have been written. Raises FieldError `missing`,
 * `not_yours`.
 */
export function voiding(
  session: Session,
  at: Pledging,
  target: string,
  ...instead: readonly NewAct[]
): Draft {
  const view = at.acts.find(({ act }) => act.id === target);
  if (!view) throw new FieldError("missing", target);
  if (!view.canVoid) throw new FieldError("not_yours", target);
  // The act may stand in a colleague's winner, and not in the leaf that this form writes on.
  const held = ((at.base?.body.acts ?? []) as unknown as Act[]).some(({ id }) => id === target);
  if (!held) throw new FieldError("missing", target);
  return pledgeDraft(session, inForce(at), at, { kind: "voided", target }, ...instead);
}

/** One pledge for each household of a paper sheet. All of it is saved or none. */
export async function meeting(
  session: Session,
  campaign: Campaign | null,
  hamlet: string,
  { date, sheet, readAloud, households }: MeetingRecord,
): Promise<Draft[]> {
  if (!campaign) throw new FieldError("no_campaign");
  const known = await readAll(session, databaseOf(hamlet));
  const unique = new Map(households.map((one) => [one.id, one]));
  return [...unique.values()].map(({ id, signer, role, method, witness }) => {
    if (!known.has(`household:${id}`)) throw new FieldError("missing", id);
    const base = shown(known.get(pledgeId(campaign.id, id)) ?? null);
    const act: NewAct = {
      kind: "signed",
      signer: tidy(signer),
      ...{ role, method, assisted: false },
      ...(witness ? { witness } : {}),
      clauses: campaign.clauses,
      notice: campaign.notice,
      read_aloud: readAloud,
      meeting: { date, sheet },
    };
    return pledgeDraft(session, campaign, { hamlet, of: id, base }, act);
  });
}
