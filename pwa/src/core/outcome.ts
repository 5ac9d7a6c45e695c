/**
 * The outcome of a pledge, derived from its acts and never stored.
 *
 * Signed if a `signed` act stands that no `voided` or `withdrawn` names; else what the last visit that stands
 * found. There is no "refused" and no reason: a household has signed, or has not signed yet.
 */
import type { Act, Method, Signed, VisitResult } from "./documents.ts";

export type Outcome = "signed" | "withdrawn" | VisitResult | "none";

/** The ids that a `voided` or `withdrawn` act names. */
export function takenBack(acts: readonly Act[]): ReadonlySet<string> {
  const targets = new Set<string>();
  for (const act of acts) if (act.kind === "voided" || act.kind === "withdrawn") targets.add(act.target);
  return targets;
}

/** The acts that count: visits and signatures that nobody took back, oldest first. */
export function standing(acts: readonly Act[]): Act[] {
  const gone = takenBack(acts);
  return acts
    .filter((act) => (act.kind === "visit" || act.kind === "signed") && !gone.has(act.id))
    .sort(byTime);
}

/** The last signature that stands, if any. */
export function signature(acts: readonly Act[]): Signed | undefined {
  return standing(acts)
    .filter((act): act is Signed => act.kind === "signed")
    .pop();
}

/** What the acts say today. */
export function outcome(acts: readonly Act[]): Outcome {
  if (signature(acts)) return "signed";
  const signed = new Set(acts.filter((act) => act.kind === "signed").map((act) => act.id));
  if (acts.some((act) => act.kind === "withdrawn" && signed.has(act.target))) return "withdrawn";
  const last = standing(acts).pop();
  return last?.kind === "visit" ? last.result : "none";
}

/** Whether a signature counts towards the target: the campaign says whether a touch does. */
export function countsAsSigned(acts: readonly Act[], touchCounts: boolean): boolean {
  return standing(acts).some((act) => act.kind === "signed" && (touchCounts || !isTouch(act.method)));
}

function isTouch(method: Method): boolean {
  return method === "touch";
}

/** Two acts of one second are told apart by their ids, which grow with time on one phone. */
function byTime(a: Act, b: Act): number {
  return a.at < b.at ? -1 : a.at > b.at ? 1 : a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
