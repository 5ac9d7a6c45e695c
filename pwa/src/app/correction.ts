/** A form that corrects a record: what a colleague corrected while it was half filled in is not undone by it. */
import { resumed } from "../core/resumed.ts";
import { type Change, useDraft } from "./draft.ts";

/** What is kept of it; `was`: as the form began. What differs from that was changed by the person. */
type Kept<T> = T & { readonly was?: T };

/** As `useDraft`; when the form goes on, what was not touched is as a sync has left it. */
export function useCorrection<T extends object>(
  name: string,
  fresh: (kept: T | null) => Promise<T>,
): [value: T | undefined, change: Change<T>, forget: () => Promise<void>] {
  const [kept, change, forget] = useDraft<Kept<T>>(name, fresh, false, laid);
  return [kept && valuesOf(kept), change as Change<T>, forget];
}

function laid<T extends object>(was: T, kept: Kept<T> | null): Kept<T> {
  // A draft of an older version does not say how its form began.
  const values = kept?.was ? (resumed(kept.was, valuesOf(kept), was) as T) : { ...was, ...kept };
  return { ...values, was };
}

function valuesOf<T>({ was, ...values }: Kept<T>): T {
  return values as T;
}
