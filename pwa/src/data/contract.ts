/**
 * What the screens may ask of the phone's data: the whole of it, in plain values and in one file.
 *
 * A promise of a write resolves when IndexedDB says that the transaction is complete, never before: only then
 * may a screen say "saved". Every promise may reject with a `FieldError`, whose `code` is a key of the words
 * catalogues. Nothing here needs a network but `join`, `syncNow` and the recovery of a forgotten PIN.
 */
import type {
  Act,
  HouseholdStatus,
  Method,
  Place,
  Role,
  SignerRole,
  Strokes,
  VisitResult,
  Witness,
} from "../core/documents.ts";
import type { Outcome } from "../core/outcome.ts";
import type { State } from "../core/review.ts";
import type { Registers } from "./registers/contract.ts";

/**
 * new: nobody has joined on this phone. joined: the server knows the phone, no PIN is set, nothing is stored
 * yet (closing the app here is harmless: the same invitation joins again). locked: the PIN is needed; sealed
 * records still go out. open: the lists can be read. lost: the browser cleared away what was kept here. rejoined: the
 * invitation is for an account that is here, and that the server did not know any more: its PIN, and it goes on.
 */
export type Lifecycle = "new" | "joined" | "rejoined" | "locked" | "open" | "lost";

/** Keys of the words catalogues (`error.<code>`). */
export type ErrorCode =
  | "bad_pin" // not 6 to 12 digits
  | "wrong_pin"
  | "wait" // too many wrong PINs: try again in `detail` seconds
  | "offline" // no answer from the server
  | "bad_code" // not an invitation
  | "spent_code" // used, expired or withdrawn
  | "too_many" // the server wants fewer attempts: try again later
  | "server" // an answer that this app does not understand
  | "revoked" // the office took this phone off its list
  | "not_saved" // IndexedDB refused; nothing was written and the form is still good
  | "storage_full"
  | "wrong_clock" // this phone says a year beyond all stamps; nothing was written
  | "invalid" // a rule of the schemas is broken; `detail` says where
  | "locked" // asked for something that needs the PIN
  | "no_campaign" // no open campaign has reached this phone
  | "not_yours" // only an own act may be voided
  | "missing" // no such hamlet, household, act or form
  | "unsafe_device" // checkDevice() says that nothing would last here
  | "bad_bundle" // no file of Camket's records or receipts
  | "carry_full" // this phone carries as much of others' as it may
  | "blocked" // another tab with an older app does not let go of the data
  | "outdated" // a newer app has been at the data: this one must be loaded again
  | "bad_picture"; // not a picture that this browser can open

export class FieldError extends Error {
  constructor(
    readonly code: ErrorCode,
    readonly detail: string | number | null = null,
  ) {
    super(code);
    this.name = "FieldError";
  }
}

export interface DeviceCheck {
  /** https (or localhost) and WebCrypto: without them there is no way to keep a secret. */
  readonly secure: boolean;
  /** A record written to IndexedDB came back. */
  readonly durable: boolean;
  /** The browser promised not to clear the storage by itself. A permanent warning where false. */
  readonly persisted: boolean;
  /** The app in whose own browser the page was opened ("Zalo", "Facebook" …: as people call it), else null. */
  readonly inApp: string | null;
  readonly ios: boolean;
  /** Runs from the home screen. On iOS only the installed app keeps its storage. */
  readonly installed: boolean;
  /** Whether joining makes sense here: secure, durable, no in-app browser, on iOS installed. */
  readonly ready: boolean;
}

/** One user on this phone. Accounts do not see each other's data. */
export interface Account {
  /** The device id. */
  readonly id: string;
  readonly user: { readonly id: string; readonly name: string; readonly role: Role };
  readonly commune: string;
  readonly demo: boolean;
}

/**
 * Where a record is. phone: only here. carried: here, and since that day (YYYY-MM-DD) with somebody who carries
 * it to a signal; the office has not been heard to have it. received: on the server's disk, which named the revision.
 * held: the office looks at it first. refused: a rule was broken, `reason` says which, in words of the
 * server; it stays on the phone until it is corrected. Of what was received staff say: approved; returned, they
 * want it corrected; corrected, it is so since they returned (or approved) it.
 */
export type Where = "phone" | `carried ${string}` | "held" | "refused" | State;

/** What staff decided about a record as it now stands. */
export interface ReviewView {
  /** The id of the document: a household's view shows the review of its pledge too. */
  readonly of: string;
  readonly state: State;
  readonly comment: string;
}

export interface HamletView {
  readonly id: string;
  /** "thôn", "bản" … */
  readonly kind: string;
  readonly name: string;
  readonly order: number;
  /** Households that the campaign counts. */
  readonly total: number;
  readonly signed: number;
  /** Met or tried, and not signed yet. */
  readonly visited: number;
  /** Whole percent that the campaign wants to pass, null while there is no campaign. */
  readonly target: number | null;
  /** Records of this hamlet that have not reached the server. */
  readonly waiting: number;
  /** This phone holds it no more: it is shown for what is still to be sent. */
  readonly gone: boolean;
}

export interface HouseholdRow {
  /** The ULID. */
  readonly id: string;
  readonly name: string;
  readonly place: Place;
  /** Place on the walk; lists come sorted by it. */
  readonly order: number;
  readonly status: HouseholdStatus;
  /** Whether the campaign counts this status. */
  readonly counts: boolean;
  readonly outcome: Outcome;
  /** The least safe of its records; null where nobody recorded anything and nothing waits. */
  readonly where: Where | null;
}

export interface ActView {
  readonly act: Act;
  readonly where: Where;
  /** Neither voided nor withdrawn (always true for a voiding itself). */
  readonly stands: boolean;
  /** An own visit or signature that stands. */
  readonly canVoid: boolean;
}

export interface HouseholdView extends HouseholdRow {
  readonly hamlet: string;
  /** YYYY-MM-DD since when the status holds. */
  readonly since: string;
  /** Oldest first. */
  readonly acts: readonly ActView[];
  /** What the server said of a record that it did not simply receive. */
  readonly reason: string | null;
  /** Of the household or of its pledge, the one that asks for more. */
  readonly review: ReviewView | null;
  /** Fields of which this phone's value lost against a colleague's later one; until `seen`. */
  readonly overruled: readonly OverruledField[];
  /** The household that it became part of, where this phone holds that. */
  readonly into: Pick<HouseholdRow, "id" | "name"> | null;
}

export type OverruledField = "name" | "place" | "order" | "status";

export interface CampaignView {
  readonly id: string;
  readonly name: string;
  readonly starts: string;
  readonly ends: string;
  readonly target: number;
  readonly touchCounts: boolean;
  /** Versions in force: what a signature of today names. */
  readonly clauses: number;
  readonly notice: number;
}

/** A version of the clauses or of the privacy notice. */
export interface TextView {
  readonly version: number;
  readonly title: string;
  readonly items: readonly string[];
}

/**
 * An open form: the household as it was when the form opened, and (inside) the revisions that it shows. What is
 * saved from it becomes a child of those, so a sync in between undoes nothing. Good for one form; after a save
 * open another. Lives in memory only.
 */
export interface Form {
  readonly hamlet: string;
  readonly household: string;
  readonly shown: HouseholdView;
}

export interface NewHousehold {
  readonly name: string;
  readonly place?: Place;
  /** Place on the walk: after this household; at the end where absent. */
  readonly after?: string;
}

export interface HouseholdChange {
  readonly name?: string;
  readonly place?: Place;
  readonly order?: number;
  readonly status?: { readonly is: HouseholdStatus; readonly since: string; readonly into?: string };
}

export interface Signing {
  readonly signer: string;
  readonly role: SignerRole;
  /** Of a unit's representative. */
  readonly title?: string;
  readonly method: Method;
  readonly assisted: boolean;
  readonly readAloud: boolean;
  /** Needed for a thumbprint or a mark. */
  readonly witness?: Witness;
  /** Needed for a touch, and only there: integers 0–999, canonical JSON at most 600 bytes. */
  readonly strokes?: Strokes;
}

/** Many households that signed on one paper sheet. */
export interface MeetingRecord {
  readonly date: string;
  readonly sheet: number;
  readonly readAloud: boolean;
  readonly households: readonly {
    readonly id: string;
    readonly signer: string;
    readonly role: SignerRole;
    readonly method: Exclude<Method, "touch">;
    readonly witness?: Witness;
  }[];
}

/** Why the last sync did not finish. Keys of the words catalogues (`sync.<problem>`). */
export type SyncProblem =
  | "offline"
  | "cut" // the link broke midway; what arrived is kept
  | "clock" // the server's and the phone's clock do not agree, and shifting did not help
  | "revoked"
  | "unknown" // the server was restored to before this phone joined: an invitation lets it go on
  | "send_only" // the office restored a backup and has yet to confirm this phone; sealed records still go in
  | "server"
  | "storage_full"
  | "not_saved";

export interface SyncState {
  readonly running: boolean;
  /** Milliseconds since 1970, null for never. */
  readonly lastSync: number | null;
  readonly problem: SyncProblem | null;
  /** Records that have not reached the server. */
  readonly waiting: number;
  /** Of these, those that somebody carries; and when (milliseconds) some were handed over last. */
  readonly carried: number;
  readonly carriedAt: number | null;
  readonly held: number;
  readonly refused: number;
  /** What the server said of records that it took in these days: where their household is by now. */
  readonly said: readonly string[];
  /** Bytes of bodies, sent and received, in this calendar month. */
  readonly bytesThisMonth: number;
}

/**
 * Whether the commune has every record. It has none that it refused, and a server that does not know this phone any more
 * may have lost some.
 */
export function isAllReceived({ waiting, refused, problem }: SyncState): boolean {
  return waiting + refused === 0 && problem !== "unknown";
}

/** A record that the office or a rule holds back, or of which a colleague's later value was taken. */
export interface ProblemView {
  readonly hamlet: string;
  readonly kind: "household" | "unit" | "inspection" | "outreach";
  /** The ULID of the household, unit …; of a pledge whose it is. */
  readonly id: string;
  /** The id of the document. */
  readonly doc: string;
  readonly place: Pick<HamletView, "kind" | "name">;
  /** Of a pledge what was recorded last. */
  readonly act: Act | null;
  /** A name or a place; of an inspection its date; empty where the household is not on this phone any more. */
  readonly name: string;
  readonly where: "held" | "refused" | "overruled";
  readonly reason: string | null;
}

export interface StorageView {
  readonly persisted: boolean;
  /** Bytes; null where the browser does not tell. */
  readonly used: number | null;
  readonly quota: number | null;
  /** Less than 20 MB left, or 90 % used. */
  readonly low: boolean;
}

export type Recovery = "none" | "pending" | "approved" | "refused";

/** Photographs on their way: they travel after all text, on Wi-Fi unless the volunteer allows more. */
export interface PhotosState {
  /** Not all of their bytes are on the server. */
  readonly waiting: number;
  readonly waitingBytes: number;
  /** The server would not have them; `reasons` says why, in its words. They go again when the volunteer syncs. */
  readonly refused: number;
  readonly reasons: readonly string[];
  /** The office has erased them lately, and they are gone from this phone. */
  readonly erased: number;
  readonly mobileData: boolean;
  /** Whether they wait for Wi-Fi. */
  readonly paused: boolean;
}

/** Records of other phones that this one carries to the office, sealed: it can read neither them nor whose they are. */
export interface Courier {
  /**
   * Takes a text that another phone gave: records to carry, or receipts for what was given away. Raises FieldError
   * `bad_bundle`, `carry_full`, `storage_full`, `not_saved`; then nothing of it was taken.
   */
  take(text: string): Promise<Taken>;
  state(): Promise<CourierState>;
  /** The office's receipts for what this phone carried, as a text for the phones that gave it. */
  receipts(): Promise<string>;
  /** Of these own records, which is what `bundle()` or a run of codes gave, the person has now handed over a copy. */
  handedOver(bundle: string): Promise<void>;
  /**
   * Own records for another phone's camera, at most twenty that nobody carries yet; where all are carried, those that
   * have been for longest. Null where none fits, or where this browser cannot seal. Raises FieldError `locked`.
   */
  recordCodes(): Promise<CodeRun | null>;
  /** Receipts likewise, at most forty, the latest first, after so many of them. */
  receiptCodes(after: number): Promise<CodeRun | null>;
  /** For what this phone's camera sees. */
  reader(): CodeReader;
}

/** A run of QR codes to be shown. */
export interface CodeRun {
  /** The text of each code, for the alphanumeric mode. */
  readonly codes: readonly string[];
  /** How many records or receipts they hold. */
  readonly count: number;
  /** How many are left for another run. */
  readonly left: number;
  /** Signatures' strokes that are too many for codes, and stay on this phone until it has a signal. */
  readonly strokes: number;
  /** Records that are too large for codes, and go by file. */
  readonly large: number;
  /** For `handedOver`. */
  readonly given: string;
}

/** Puts together what a camera reads, in any order. */
export interface CodeReader {
  hear(code: string): Promise<CodeHeard>;
}

/**
 * What came of a code. foreign: none of Camket's. broken: damaged, or of a newer app. whole: `text` is what `take` takes.
 */
export type CodeHeard =
  | { readonly kind: "foreign" | "broken" }
  | { readonly kind: "part"; readonly read: number; readonly of: number; readonly fresh: boolean }
  | { readonly kind: "whole"; readonly of: number; readonly text: string };

export type Taken =
  | {
      readonly kind: "records";
      /** New here, and carried from now on. */
      readonly taken: number;
      /** Taken before; or this phone's own. */
      readonly known: number;
      /** Lines that are no records: the file was cut, or changed. */
      readonly bad: number;
    }
  | {
      readonly kind: "receipts";
      /** Own records that the office has answered for. */
      readonly settled: number;
      /** For other phones, or heard of before. */
      readonly others: number;
      /** Not from the office: somebody else wrote or changed them. */
      readonly forged: number;
    };

export interface CourierState {
  /** Carried, and not handed in yet. */
  readonly carrying: number;
  /** Handed in: there are receipts to give back. */
  readonly answered: number;
  /** Bytes that carrying may still take on this phone. */
  readonly room: number;
}

/** replaced: the invitation of the account in front was opened once more before it had synced: it goes, unrevoked. */
export type Change = "lifecycle" | "records" | "sync" | "replaced";

export interface Field {
  // --- the phone and its accounts
  /** Raises FieldError `blocked`, `outdated`, or what the browser says, where the data cannot be opened. */
  lifecycle(): Promise<Lifecycle>;
  /** Of `lost`: how many records had not reached the server, as far as it was counted; null where nothing is lost. */
  lost(): Promise<{ readonly unsent: number } | null>;
  /** The person has read it: leads to `new`, or to another account. */
  acceptLoss(): Promise<void>;
  checkDevice(): Promise<DeviceCheck>;
  storage(): Promise<StorageView>;
  accounts(): Promise<readonly Account[]>;
  /** The account in use (locked or open), null while new or joined. */
  account(): Promise<Account | null>;
  /** Puts another account in front, locked. */
  choose(account: string): Promise<void>;

  // --- enrolment and the PIN
  /** Redeems an invitation (10 characters, dash or not, any case). Leads to `joined`; nothing is stored yet. */
  join(code: string, deviceName: string): Promise<Account>;
  /**
   * 6 to 12 digits. Stores the account and its keys in one transaction. Leads to `open`. Where it was `rejoined`, the PIN
   * that it has: raises FieldError `wrong_pin`, `wait`.
   */
  setPin(pin: string): Promise<void>;
  /** Whether the account that has just joined is a new one, beside one that the server does not know any more. */
  beside(): Promise<boolean>;
  unlock(pin: string): Promise<void>;
  lock(): Promise<void>;
  changePin(old: string, next: string): Promise<void>;
  /** Asks the office to open a phone whose PIN is forgotten. */
  forgotPin(): Promise<void>;
  /** Asks what became of it; needs the network while pending. */
  recovery(): Promise<Recovery>;
  /** After `approved`: sets a new PIN over the same data. Leads to `open`. */
  recover(pin: string): Promise<void>;

  // --- reading (open only)
  hamlets(): Promise<readonly HamletView[]>;
  /** In walking order. Those that the campaign does not count come too. */
  households(hamlet: string): Promise<readonly HouseholdRow[]>;
  household(hamlet: string, id: string): Promise<HouseholdView>;
  /** The open campaign that started last. */
  campaign(): Promise<CampaignView | null>;
  clauses(version: number): Promise<TextView | null>;
  notice(version: number): Promise<TextView | null>;

  /** The volunteer has read that an own value of the document `id` was overruled. */
  seen(hamlet: string, id: string): Promise<void>;

  // --- what is half filled in (open only)
  /** What `keepDraft` kept under the name; null for nothing. Encrypted, and it outlives the app. */
  draft(name: string): Promise<unknown>;
  /** A JSON value; null forgets it. */
  keepDraft(name: string, value: unknown): Promise<void>;

  /** Models, units, inspections, outreach and bulletins. */
  registers(): Promise<Registers>;

  // --- writing (open only)
  openForm(hamlet: string, household: string): Promise<Form>;
  /** Returns the new household's id. */
  addHousehold(hamlet: string, what: NewHousehold): Promise<string>;
  editHousehold(form: Form, change: HouseholdChange): Promise<void>;
  recordVisit(form: Form, result: VisitResult): Promise<void>;
  /** Clauses and notice are those in force in the campaign. */
  recordSigned(form: Form, what: Signing): Promise<void>;
  voidAct(form: Form, act: string): Promise<void>;
  /** All of them or none, in one transaction. */
  meeting(hamlet: string, what: MeetingRecord): Promise<void>;

  // --- photographs (open only)
  /**
   * Keeps a picture, made small (at most 150 kB, nothing in it but the picture) and encrypted, and returns the
   * SHA-256 of its bytes: the `id` of an entry of `photos` in an inspection. Nothing else is to be done with it:
   * it is sent once an inspection that names it has reached the server. One that is shown elsewhere is made another
   * one; one of those `beside` it in its form is that one. Raises FieldError `bad_picture`, `storage_full`, `not_saved`.
   */
  addPhoto(hamlet: string, picture: Blob, beside?: readonly string[]): Promise<string>;
  /**
   * An object URL of a picture that this phone has (a small one once the server has it), null where it has none.
   * Whoever asks calls URL.revokeObjectURL.
   */
  photo(sha256: string): Promise<string | null>;
  /**
   * A small one of a picture that this phone has not, from the server; the phone keeps it among the last few
   * hundred. Whoever asks calls URL.revokeObjectURL. Raises FieldError `offline`, `missing` (not all of it has
   * reached the server), `server`.
   */
  fetchPhoto(hamlet: string, sha256: string): Promise<string>;
  /** Forgets a picture, unless a saved inspection shows it. */
  dropPhoto(sha256: string): Promise<void>;
  photos(): Promise<PhotosState>;
  allowMobileData(yes: boolean): Promise<void>;

  // --- syncing
  /**
   * Runs now; resolves when it ended, whatever came of it (see `problem`). While locked it hands in the sealed
   * records and nothing more.
   */
  syncNow(): Promise<SyncState>;
  syncState(): Promise<SyncState>;
  problems(): Promise<readonly ProblemView[]>;
  /** Forgets what the commune did not take of a document: the volunteer has read why. */
  dismiss(hamlet: string, doc: string): Promise<void>;
  /** The unsent records as one text that another phone or a stick can carry to `/sealed`. */
  bundle(): Promise<string>;
  /** Handing records over to other phones, and carrying theirs. */
  courier(): Promise<Courier>;

  /** Called after something changed, in this tab or another. Returns the function that ends it. */
  onChange(listener: (change: Change) => void): () => void;
}
