/** What staff decided about the records of a hamlet, as this phone holds both. */

import { type Decision, reviewed, type State, state } from "../core/review.ts";
import { hex, utf8 } from "./bytes.ts";
import type { ReviewView } from "./contract.ts";
import type { Env } from "./env.ts";
import { type Known, readOne, type Session, shown } from "./records.ts";

const reviewId = (id: string) => `review:${id}`;

function decisionOf(review: Known | null | undefined): Decision | null {
  return (review?.winner?.body.decision as unknown as Decision | undefined) ?? null;
}

async function judged(env: Env, of: Known, decision: Decision): Promise<ReviewView | null> {
  const body = shown(of)?.body;
  if (!body) return null;
  const digest = hex(new Uint8Array(await env.subtle.digest("SHA-256", utf8(reviewed(body)))));
  return { of: of.id, state: state(digest, decision), comment: decision.comment ?? "" };
}

/** The review of a record; null where nobody reviewed it yet. */
export async function reviewOf(session: Session, db: string, of: Known | null): Promise<ReviewView | null> {
  if (!of) return null;
  const decision = decisionOf(await readOne(session, db, reviewId(of.id)));
  return decision ? judged(session.env, of, decision) : null;
}

/** The same among documents that are already read. */
export async function reviewAmong(
  env: Env,
  known: ReadonlyMap<string, Known>,
  of: Known,
): Promise<ReviewView | null> {
  const decision = decisionOf(known.get(reviewId(of.id)));
  return decision ? judged(env, of, decision) : null;
}

/** The ids of what was returned and not corrected since, with the comments. Only these cost a digest. */
export async function returnedAmong(
  env: Env,
  known: ReadonlyMap<string, Known>,
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const [id, review] of known) {
    const decision = id.startsWith("review:") ? decisionOf(review) : null;
    const of = known.get(id.slice("review:".length));
    if (decision?.is !== "returned" || !of) continue;
    const view = await judged(env, of, decision);
    if (view?.state === "returned") found.set(of.id, view.comment);
  }
  return found;
}

const GRAVE: readonly State[] = ["returned", "corrected", "received", "approved"];

/** Of two reviews the one that asks for more. */
export function graver(one: ReviewView | null, two: ReviewView | null): ReviewView | null {
  if (!one || !two) return one ?? two;
  return GRAVE.indexOf(two.state) < GRAVE.indexOf(one.state) ? two : one;
}
