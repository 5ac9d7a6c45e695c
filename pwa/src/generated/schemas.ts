// Written by types.mjs from /schemas. Not to be edited.

export type Ulid = string;

export type UserId = string;

export type HamletId = string;

export type CampaignId = string;

export type Sha256 = string;

/** Hybrid logical clock: milliseconds, counter, device; text order is clock order. */
export type Stamp = string;

/** A field's stamp is its entry, else *. */
export type Stamps = {
readonly "*": Stamp;
readonly [field: string]: string;
};

export type Instant = string;

export type Date = string;

/** A person's or a place's name, trimmed, NFC. */
export type Name = string;

/** One line about equipment, a model, an outreach or a review; never about a person. */
export type Line = string;

/** Wording that staff write for everybody (clauses, notices). */
export type Text = string;

export type Version = number;

/** An immutable element of a pledge. A set element: to take one back is an element too. */
export type Act = Visit | Signed | Voided | Withdrawn;

export type Visit = {
readonly "id": Ulid;
readonly "at": Instant;
readonly "by": UserId;
readonly "kind": "visit";
readonly "result": "met" | "nobody_home" | "come_back";
};

export type Signed = {
readonly "id": Ulid;
readonly "at": Instant;
readonly "by": UserId;
readonly "kind": "signed";
readonly "signer": Name;
/** The signer's place in the household, or a unit's representative. */
readonly "role": "head" | "spouse" | "adult" | "representative";
/** A unit's representative's title. */
readonly "title"?: Name;
readonly "method": "touch" | "paper_signed" | "paper_thumbprint" | "paper_mark";
/** Somebody helped the signer to read or to sign. */
readonly "assisted": boolean;
/** The witness's role, never a name. */
readonly "witness"?: "hamlet_head" | "security_team" | "front" | "women" | "youth" | "veterans" | "commune_police" | "neighbour";
readonly "clauses": Version;
readonly "notice": Version;
readonly "read_aloud": boolean;
readonly "signature"?: Sha256;
/** A hamlet meeting: its date and the number of the paper sheet. */
readonly "meeting"?: {
readonly "date": Date;
readonly "sheet": number;
};
};

/** A volunteer takes an own mistake back. */
export type Voided = {
readonly "id": Ulid;
readonly "at": Instant;
readonly "by": UserId;
readonly "kind": "voided";
readonly "target": Ulid;
};

/** Staff confirm that the household withdrew. */
export type Withdrawn = {
readonly "id": Ulid;
readonly "at": Instant;
readonly "by": UserId;
readonly "kind": "withdrawn";
readonly "target": Ulid;
};

/** Values of fields with the rule `ask` that wait to be settled, and what was replaced; see sync/merge.py. A value must be one that its field could hold: the server checks that. */
export type Asks = {
readonly [field: string]: string;
};

/** What is pledged when, and how it is counted. */
export type CampaignDocument = {
readonly "_id": string;
readonly "type": "campaign";
readonly "v": 1;
readonly "by": UserId;
readonly "stamps": Stamps;
readonly "asks"?: Asks;
readonly "name": Name;
readonly "starts": Date;
readonly "ends": Date;
/** Whole percent; the commune aims to be above it. */
readonly "target": number;
/** Which household statuses stand in the denominator. */
readonly "counts": readonly ("resident" | "seasonal_away" | "long_absent")[];
/** Whether an acknowledgement by touch counts as signed. */
readonly "touch_counts": boolean;
readonly "clauses": Version;
readonly "notice": Version;
readonly "state": "open" | "closed";
};

/** One version of what a household pledges. */
export type ClausesDocument = {
readonly "_id": string;
readonly "type": "clauses";
readonly "v": 1;
readonly "by": UserId;
readonly "stamps": Stamps;
readonly "asks"?: Asks;
readonly "title": Name;
readonly "items": readonly (string)[];
};

/** A hamlet of the commune, under an id of our own: there is no national code. */
export type HamletDocument = {
readonly "_id": string;
readonly "type": "hamlet";
readonly "v": 1;
readonly "by": UserId;
readonly "stamps": Stamps;
readonly "asks"?: Asks;
readonly "name": Name;
/** The word before the name. */
readonly "kind": "thôn" | "bản" | "xóm" | "làng" | "ấp" | "buôn" | "khóm" | "tổ dân phố" | "khu phố" | "khối phố" | "tiểu khu" | "phum" | "sóc" | "bon";
readonly "order": number;
readonly "state": "active" | "merged" | "split";
};

/** One household of a hamlet. Households may share a house; a split makes a new id. */
export type HouseholdDocument = {
readonly "_id": string;
readonly "type": "household";
readonly "v": 1;
readonly "by": UserId;
readonly "stamps": Stamps;
/** The head's name. A new head changes the name only. */
readonly "name": Name;
readonly "place"?: {
readonly "house"?: string;
readonly "lane"?: string;
};
/** Place on the walk through the hamlet. */
readonly "order": number;
readonly "status": {
readonly "is": "resident" | "seasonal_away" | "long_absent" | "moved" | "dissolved" | "merged_into" | "entered_in_error";
readonly "since": Date;
readonly "into"?: Ulid;
};
};

/** One version of what a household is told before the first field: who, what, why, how long, rights, contact (Law 91/2025/QH15). */
export type NoticeDocument = {
readonly "_id": string;
readonly "type": "notice";
readonly "v": 1;
readonly "by": UserId;
readonly "stamps": Stamps;
readonly "asks"?: Asks;
readonly "title": Name;
readonly "items": readonly (string)[];
};

/** One per household or unit and campaign, named by its id, so that two volunteers collide instead of duplicating. */
export type PledgeDocument = {
readonly "_id": string;
readonly "type": "pledge";
readonly "v": 1;
readonly "by": UserId;
readonly "stamps": Stamps;
/** Acts sorted by id. The outcome is derived: signed if a signed act stands that no voided or withdrawn names. */
readonly "acts": readonly (Act)[];
};

/** The strokes of one touch signature: no timing, no pressure. Phones push it and never pull it. */
export type SignatureDocument = {
readonly "_id": string;
readonly "type": "signature";
readonly "v": 1;
readonly "by": UserId;
readonly "stamps": Stamps;
/** Each stroke is x0, y0, x1, y1 … on a grid of 0 to 999. The id digests the canonical bytes of this value, at most 600. */
readonly "strokes": readonly (readonly (number)[])[];
};
