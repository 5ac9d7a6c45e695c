/** An entry of a pledge is corrected: in one write the old one is taken back and the right one stands. */
import type { Signed, Visit } from "../../core/documents.ts";
import { tidy } from "../../core/edit.ts";
import { FieldError, type ReviewView } from "../contract.ts";
import { type NewAct, type Pledging, voiding } from "../forms.ts";
import type { Session } from "../records.ts";
import type { Draft } from "../save.ts";
import type { AmendForm, Amendment } from "./contract.ts";

export class OpenAmend implements AmendForm {
  readonly act: Visit | Signed | null;
  constructor(
    readonly hamlet: string,
    readonly name: string,
    readonly review: ReviewView | null,
    readonly pledging: Pledging,
  ) {
    const own = pledging.acts.flatMap(({ act, canVoid }) => (canVoid ? [act as Visit | Signed] : []));
    this.act = own.filter(({ kind }) => kind === "signed").pop() ?? own.pop() ?? null;
  }
}

/** Raises FieldError `not_yours`, `invalid`. */
export function amending(session: Session, { act, pledging }: OpenAmend, what: Amendment): Draft {
  if (!act) throw new FieldError("not_yours");
  return voiding(session, pledging, act.id, instead(act, what));
}

function instead(act: Visit | Signed, what: Amendment): NewAct {
  if (what.kind === "visit") return what;
  if (act.kind !== "signed") throw new FieldError("invalid", "signed");
  const { method, signer, title, ...rest } = what;
  if (method === "touch" && !act.signature) throw new FieldError("invalid", "strokes");
  const { clauses, notice, read_aloud, signature } = act;
  return {
    ...rest,
    ...{ signer: tidy(signer), method, clauses, notice, read_aloud },
    ...(title ? { title: tidy(title) } : {}),
    ...(method === "touch" && signature ? { signature } : {}),
  };
}
