/**
 * Models, units, inspections, outreach and what the office says: the part of the phone's data that is loaded when a
 * screen first asks for it (`Field.registers`). Promises and errors are as in `../contract.ts`.
 */
import type { Answers, Checklist, Item } from "../../core/checklist.ts";
import type {
  Meeting,
  Method,
  Place,
  Signed,
  SignerRole,
  Visit,
  VisitResult,
  Witness,
} from "../../core/documents.ts";
import type { Json } from "../../core/json.ts";
import type { Outcome } from "../../core/outcome.ts";
import type { ModelDocument, ModelType, OutreachDocument, UnitDocument } from "../../generated/schemas.ts";
import type { ActView, ReviewView, Signing, Where } from "../contract.ts";
import type { Why } from "../overruled.ts";

export type ModelState = ModelDocument["state"]["is"];
export type UnitKind = UnitDocument["kind"];
export type UnitStatus = UnitDocument["status"]["is"];
export type OutreachKind = OutreachDocument["kind"];
export type Topic = OutreachDocument["topics"][number];

/** What is inspected: `model:<ulid>` or `unit:<ulid>`. */
export type SubjectId = string;

export interface FollowUp {
  readonly what: string;
  /** YYYY-MM-DD */
  readonly due: string;
  readonly done?: string;
}

/** A version of a checklist; an inspection keeps the one that it was made with. */
export interface ChecklistView extends Checklist {
  readonly slug: string;
  readonly version: number;
  readonly title: string;
}

export interface InspectionRow {
  /** The ULID. */
  readonly id: string;
  readonly subject: SubjectId;
  /** YYYY-MM-DD */
  readonly date: string;
  readonly mine: boolean;
  readonly where: Where;
  readonly followUp: FollowUp | null;
}

export interface InspectionView extends InspectionRow {
  readonly hamlet: string;
  readonly name: string;
  /** Null where this phone has no such version. */
  readonly checklist: ChecklistView | null;
  /** The digests of photographs among them. */
  readonly answers: Answers;
  readonly findings: string;
  readonly review: ReviewView | null;
  /** What the server said of it, where it did not simply receive it. */
  readonly reason: string | null;
}

/** What was found the last time. */
export interface Previous {
  readonly date: string;
  readonly answers: Answers;
}

/** An open form; good for one save. Lives in memory only. */
export interface InspectionForm {
  readonly hamlet: string;
  /** The ULID of what will be saved: photographs name it. */
  readonly id: string;
  readonly subject: SubjectId;
  readonly name: string;
  readonly checklist: ChecklistView;
  /** What is corrected; null for a new one. */
  readonly shown: InspectionView | null;
  /** The last inspection before this one; null for none. */
  readonly previous: Previous | null;
  /** What it was opened on, for a draft to keep (JSON). */
  readonly base: unknown;
}

/** What a draft kept of a correction: what it was opened on, and the answers by then. */
export interface HalfFilled {
  readonly base: unknown;
  readonly values: Answers;
}

export interface Inspected {
  readonly date: string;
  /** By item; photographs are not among them. Those of items that do not apply are left out by the save. */
  readonly values: Answers;
  /** By item, the digests of its photographs (`Field.addPhoto`): what is saved already and is not among them goes. */
  readonly photos: Readonly<Record<string, readonly string[]>>;
  readonly findings: string;
  readonly followUp: FollowUp | null;
}

/** What inspecting a model and a unit have in common. */
export interface Subject {
  readonly id: string;
  readonly name: string;
  /** Newest first. */
  readonly inspections: readonly InspectionRow[];
  /** What is still to be done of the last inspection that asked for something. */
  readonly todo: (FollowUp & { readonly inspection: string }) | null;
}

export interface ModelRow extends Subject {
  readonly kind: ModelType;
  readonly state: ModelState;
  readonly since: string;
}

export interface ModelView extends ModelRow {
  readonly decision: { readonly number: string; readonly date: string } | null;
  readonly points: number;
  readonly groups: number;
  readonly note: string;
  readonly checklists: readonly ChecklistView[];
}

export interface UnitRow extends Subject {
  readonly kind: UnitKind;
  readonly inScope: boolean;
  readonly place: Place;
  readonly status: UnitStatus;
  readonly outcome: Outcome;
  readonly where: Where;
}

export interface UnitView extends UnitRow {
  readonly hamlet: string;
  readonly acts: readonly ActView[];
  readonly review: ReviewView | null;
  readonly reason: string | null;
  readonly checklists: readonly ChecklistView[];
}

/** An open form on a unit and its pledge. */
export interface UnitForm {
  readonly hamlet: string;
  readonly shown: UnitView;
}

export interface UnitFacts {
  readonly name: string;
  readonly kind: UnitKind;
  readonly inScope: boolean;
  readonly place: Place;
}

export interface OutreachFacts {
  readonly kind: OutreachKind;
  readonly date: string;
  readonly place: string;
  /** How many people, never who. */
  readonly present: number;
  readonly topics: readonly Topic[];
  readonly note: string;
}

export interface OutreachRow extends OutreachFacts {
  readonly id: string;
  readonly mine: boolean;
  readonly where: Where;
  readonly review: ReviewView | null;
  readonly reason: string | null;
}

export interface OutreachForm {
  readonly hamlet: string;
  readonly shown: OutreachRow;
}

/** What the office tells its volunteers. */
export interface BulletinView {
  readonly id: string;
  readonly title: string;
  readonly text: string;
  readonly from: string;
  readonly read: boolean;
}

/** A record that the office wants corrected. */
export interface ReturnedView {
  readonly hamlet: string;
  readonly kind: "household" | "unit" | "inspection" | "outreach";
  readonly id: string;
  /** A name; of an inspection the subject's. */
  readonly name: string;
  readonly comment: string;
}

/** An own entry of a pledge that is corrected: what was written is taken back, what should have been stands. */
export interface AmendForm {
  readonly hamlet: string;
  /** The household's or the unit's. */
  readonly name: string;
  readonly review: ReviewView | null;
  /** The last own signature that stands, else the last own visit; null where all of them are others'. */
  readonly act: Visit | Signed | null;
}

export type Amendment =
  | { readonly kind: "visit"; readonly result: VisitResult }
  | {
      readonly kind: "signed";
      readonly signer: string;
      readonly role: SignerRole;
      /** Of a unit's representative. */
      readonly title?: string;
      /** A signature on the screen stays as it was drawn, or was none: a touch cannot be made of paper. */
      readonly method: Method;
      readonly assisted: boolean;
      readonly witness?: Witness;
      readonly meeting?: Meeting;
    };

/** A value of this phone's that does not stand, beside the one that does. */
export interface OverruledView {
  /** A field of the document; of an inspection's answers, one question. */
  readonly field: string;
  /** The question, where the field is one. */
  readonly item: Item | null;
  readonly mine: Json | undefined;
  readonly kept: Json | undefined;
  readonly why: Why;
}

export interface Registers {
  /** What the volunteer wrote of a document (`household:<ulid>` …) and does not stand, until it was `seen`. */
  overruled(hamlet: string, id: string): Promise<readonly OverruledView[]>;

  /** Models of the hamlet and of the whole commune, by name. */
  models(hamlet: string): Promise<readonly ModelRow[]>;
  model(hamlet: string, id: string): Promise<ModelView>;

  /** By name. */
  units(hamlet: string): Promise<readonly UnitRow[]>;
  unit(hamlet: string, id: string): Promise<UnitView>;
  /** Returns the new unit's id. */
  addUnit(hamlet: string, what: UnitFacts): Promise<string>;
  openUnit(hamlet: string, id: string): Promise<UnitForm>;
  editUnit(form: UnitForm, change: Partial<UnitFacts> & { readonly status?: UnitStatus }): Promise<void>;
  /** The representative signs: `role` is representative, `title` the office held. */
  signUnit(form: UnitForm, what: Signing): Promise<void>;
  voidUnitAct(form: UnitForm, act: string): Promise<void>;

  /** The pledge of a household or a unit, to correct it. */
  openAmend(hamlet: string, of: "household" | "unit", id: string): Promise<AmendForm>;
  amend(form: AmendForm, what: Amendment): Promise<void>;

  inspection(hamlet: string, id: string): Promise<InspectionView>;
  /**
   * A form for a new inspection by the newest version of a checklist. One that goes on after the app was ended
   * names the version and the id that it began with.
   */
  newInspection(
    hamlet: string,
    subject: SubjectId,
    checklist: { readonly slug: string; readonly version?: number },
    id?: string,
  ): Promise<InspectionForm>;
  /** A correction that goes on after the app was ended names what was kept of it. */
  openInspection(hamlet: string, id: string, kept?: HalfFilled | null): Promise<InspectionForm>;
  /** Raises FieldError `invalid` where an answer is missing or wrong: the form says so first. */
  saveInspection(form: InspectionForm, what: Inspected): Promise<void>;
  /** What was to be done is done (YYYY-MM-DD). */
  followedUp(hamlet: string, id: string, done: string): Promise<void>;

  /** Newest first. */
  outreach(hamlet: string): Promise<readonly OutreachRow[]>;
  addOutreach(hamlet: string, what: OutreachFacts): Promise<void>;
  openOutreach(hamlet: string, id: string): Promise<OutreachForm>;
  editOutreach(form: OutreachForm, what: OutreachFacts): Promise<void>;

  /** Those of today for this person's hamlets, newest first. */
  bulletins(today: string): Promise<readonly BulletinView[]>;
  /** This phone remembers that the person has read it. */
  readBulletin(id: string): Promise<void>;

  /** In all hamlets of this person. */
  returned(): Promise<readonly ReturnedView[]>;
}
