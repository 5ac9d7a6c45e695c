/** The values that documents hold, named once. The shapes themselves are in /schemas (see src/generated). */

export type Role = "volunteer" | "hamlet_head";
export type VisitResult = "met" | "nobody_home" | "come_back";
export type Method = "touch" | "paper_signed" | "paper_thumbprint" | "paper_mark";
export type SignerRole = "head" | "spouse" | "adult" | "representative";
export type Witness =
  | "hamlet_head"
  | "security_team"
  | "front"
  | "women"
  | "youth"
  | "veterans"
  | "commune_police"
  | "neighbour";
export type HouseholdStatus =
  | "resident"
  | "seasonal_away"
  | "long_absent"
  | "moved"
  | "dissolved"
  | "merged_into"
  | "entered_in_error";

/** Where a household lives, as far as anybody wrote it down. */
export interface Place {
  readonly house?: string;
  readonly lane?: string;
}

/** A hamlet meeting: its date (YYYY-MM-DD) and the number of the paper sheet. */
export interface Meeting {
  readonly date: string;
  readonly sheet: number;
}

/** Each stroke is x0, y0, x1, y1 … on a grid of 0 to 999. */
export type Strokes = readonly (readonly number[])[];

interface ActBase {
  readonly id: string;
  /** UTC, YYYY-MM-DDTHH:MM:SSZ */
  readonly at: string;
  /** A user id, never a name. */
  readonly by: string;
}
export interface Visit extends ActBase {
  readonly kind: "visit";
  readonly result: VisitResult;
}
export interface Signed extends ActBase {
  readonly kind: "signed";
  readonly signer: string;
  readonly role: SignerRole;
  readonly title?: string;
  readonly method: Method;
  readonly assisted: boolean;
  readonly witness?: Witness;
  readonly clauses: number;
  readonly notice: number;
  readonly read_aloud: boolean;
  readonly signature?: string;
  readonly meeting?: Meeting;
}
export interface Voided extends ActBase {
  readonly kind: "voided";
  readonly target: string;
}
export interface Withdrawn extends ActBase {
  readonly kind: "withdrawn";
  readonly target: string;
}
export type Act = Visit | Signed | Voided | Withdrawn;
