/**
 * What a review comes to on the phone: the decisions of `server/review.py`, which explains them; both are held to
 * `tests/vectors/reviews.json`.
 */
import type { ReviewDocument } from "../generated/schemas.ts";
import { canonical } from "./canonical.ts";
import type { JsonObject } from "./json.ts";

export type Decision = ReviewDocument["decision"];
export type State = "received" | "approved" | "returned" | "corrected";

const ENVELOPE = ["type", "v", "by", "stamps", "asks"];
const UNREVIEWED: Readonly<Record<string, readonly string[]>> = { household: ["order"] };

/** The canonical text of the fields that a review is about; its sha256 in hex is the review's `digest`. */
export function reviewed(body: JsonObject): string {
  const out = [...ENVELOPE, ...(UNREVIEWED[body.type as string] ?? [])];
  const kept = Object.entries(body).filter(([name]) => !out.includes(name) && !name.startsWith("_"));
  return canonical(Object.fromEntries(kept));
}

/** What a document's digest `now` and the decision of its review, if there is one, come to. */
export function state(now: string, decision: Decision | undefined): State {
  if (!decision) return "received";
  return decision.digest === now ? decision.is : "corrected";
}
