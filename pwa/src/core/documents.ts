/** The values that documents hold, by name; their shapes come from /schemas. */
import type { HouseholdDocument, SignatureDocument, Signed, Visit } from "../generated/schemas.ts";

export type { Act, Signed, Visit, Voided, Withdrawn } from "../generated/schemas.ts";

/** Who walks with a phone. */
export type Role = "volunteer" | "hamlet_head";
export type VisitResult = Visit["result"];
export type Method = Signed["method"];
export type SignerRole = Signed["role"];
export type Witness = NonNullable<Signed["witness"]>;
/** A hamlet meeting: its date (YYYY-MM-DD) and the number of the paper sheet. */
export type Meeting = NonNullable<Signed["meeting"]>;
export type HouseholdStatus = HouseholdDocument["status"]["is"];
/** Where a household lives, as far as anybody wrote it down. */
export type Place = NonNullable<HouseholdDocument["place"]>;
/** Each stroke is x0, y0, x1, y1 … on a grid of 0 to 999. */
export type Strokes = SignatureDocument["strokes"];
