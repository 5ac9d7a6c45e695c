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
readonly [field: string]: Stamp;
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

/** Where a household or a unit is, as far as anybody wrote it down. */
export type Place = {
readonly "house"?: string;
readonly "lane"?: string;
};

/** Kinds of community model; `other` is known by its name. */
export type ModelType = "to_lien_gia" | "diem_chua_chay" | "camera_an_ninh" | "to_tu_quan" | "dong_ho_tu_quan" | "cong_truong" | "tu_quan_duong_bien" | "to_bao_ve_antt" | "to_hoa_giai" | "nhom_zalo" | "other";

export type Slug = string;

export type ItemId = string;

/** Wording of a checklist, on one line. */
export type Label = string;

/** What one answer is held to: all parts must hold. server/checklists/check.py says how. */
export type Test = {
readonly "equals"?: boolean | number | Label;
readonly "at_least"?: number;
readonly "at_most"?: number;
readonly "one_of"?: readonly (Label)[];
};

/** When an item applies: a test of an earlier item, or several together. */
export type Condition = ConditionTest | ConditionAll | ConditionAny | ConditionNot;

export type ConditionTest = {
readonly "item": ItemId;
readonly "equals"?: boolean | number | Label;
readonly "at_least"?: number;
readonly "at_most"?: number;
readonly "one_of"?: readonly (Label)[];
};

export type ConditionAll = {
readonly "all": readonly (Condition)[];
};

export type ConditionAny = {
readonly "any": readonly (Condition)[];
};

export type ConditionNot = {
readonly "not": Condition;
};

export type Option = {
readonly "id": ItemId;
readonly "label": Label;
};

/** One thing that a checklist asks for. */
export type Item = ItemYesNo | ItemNumber | ItemOptions | ItemText | ItemPhoto;

export type ItemYesNo = {
readonly "id": ItemId;
readonly "kind": "yes_no";
readonly "label": Label;
readonly "source": Label;
readonly "required"?: boolean;
readonly "when"?: Condition;
readonly "good"?: Test;
readonly "points"?: number;
};

export type ItemNumber = {
readonly "id": ItemId;
readonly "kind": "number";
readonly "label": Label;
readonly "source": Label;
readonly "required"?: boolean;
readonly "when"?: Condition;
readonly "unit": Label;
readonly "min": number;
readonly "max": number;
readonly "good"?: Test;
readonly "points"?: number;
};

export type ItemOptions = {
readonly "id": ItemId;
readonly "kind": "choice" | "multi";
readonly "label": Label;
readonly "source": Label;
readonly "required"?: boolean;
readonly "when"?: Condition;
readonly "options": readonly (Option)[];
readonly "good"?: Test;
readonly "points"?: number;
};

export type ItemText = {
readonly "id": ItemId;
readonly "kind": "text";
readonly "label": Label;
readonly "source": Label;
readonly "required"?: boolean;
readonly "when"?: Condition;
};

export type ItemPhoto = {
readonly "id": ItemId;
readonly "kind": "photo";
readonly "label": Label;
readonly "source": Label;
readonly "required"?: boolean;
readonly "when"?: Condition;
readonly "max": number;
};

export type Section = {
readonly "id": ItemId;
readonly "title": Label;
readonly "items": readonly (Item)[];
};

/** yes_no, number, choice or text, or the options of multi. Photographs are answers by `photos` alone. */
export type Answer = boolean | number | string | readonly (ItemId)[];

/** A picture of equipment, named by the digest of its bytes, and the item that asked for it. */
export type PhotoAdded = {
readonly "id": Sha256;
readonly "item": ItemId;
};

/** Takes a picture back. */
export type PhotoRemoved = {
readonly "id": Ulid;
readonly "removes": Sha256;
};

/** Values of fields with the rule `ask` that wait to be settled, and what was replaced; see sync/merge.py. A value must be one that its field could hold: the server checks that. */
export type Asks = {
readonly [field: string]: {
/** For each device, the greatest stamp of a value that some write here has replaced. */
readonly "seen"?: readonly (Stamp)[];
/** Values beside the shown one, the latest first; one without `value` cleared the field. */
readonly "others"?: readonly ({
readonly "stamp": Stamp;
readonly "value"?: unknown;
})[];
};
};

/** What the office tells its volunteers. */
export type BulletinDocument = {
readonly "_id": string;
readonly "type": "bulletin";
readonly "v": 1;
readonly "by": UserId;
readonly "stamps": Stamps;
readonly "asks"?: Asks;
readonly "title": Name;
readonly "text": Text;
/** The first day on which phones show it. */
readonly "from": Date;
/** The last day. */
readonly "until": Date;
/** Whose volunteers see it; empty is all. */
readonly "hamlets": readonly (HamletId)[];
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

/** One version of what is looked at in a model or a unit. It is never altered: an edit is the next version. */
export type ChecklistDocument = {
readonly "_id": string;
readonly "type": "checklist";
readonly "v": 1;
readonly "by": UserId;
readonly "stamps": Stamps;
readonly "asks"?: Asks;
readonly "title": Name;
/** The kind of model that it is for. */
readonly "model": ModelType;
readonly "source": Label;
readonly "sections": readonly (Section)[];
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
/** Of a hamlet whose state is merged: into which one, and since when. */
readonly "merged"?: {
readonly "into": HamletId;
readonly "since": Date;
};
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
readonly "place"?: Place;
/** Place on the walk through the hamlet. */
readonly "order": number;
readonly "status": {
readonly "is": "resident" | "seasonal_away" | "long_absent" | "moved" | "dissolved" | "merged_into" | "entered_in_error";
readonly "since": Date;
readonly "into"?: Ulid;
};
};

/** A look at a model or a unit, by a version of a checklist. The score is computed, never stored. */
export type InspectionDocument = {
readonly "_id": string;
readonly "type": "inspection";
readonly "v": 1;
readonly "by": UserId;
readonly "stamps": Stamps;
readonly "asks"?: Asks;
readonly "subject": string;
readonly "date": Date;
/** One value: it moves whole. */
readonly "answers": {
readonly "checklist": Slug;
readonly "version": Version;
/** By item. Photographs are not among them: see `photos`. */
readonly "values": {
readonly [field: string]: Answer;
};
};
/** About equipment, never about a person. */
readonly "findings"?: Line;
readonly "follow_up"?: {
readonly "what": Line;
readonly "due": Date;
/** The day on which it was done. */
readonly "done"?: Date;
};
/** Sorted by id. Their bytes lie in the hamlet's media database. */
readonly "photos": readonly (PhotoAdded | PhotoRemoved)[];
};

/** A community model. Areas where it is replicated (`points`, điểm) and groups (`groups`, tổ) are counted separately. */
export type ModelDocument = {
readonly "_id": string;
readonly "type": "model";
readonly "v": 1;
readonly "by": UserId;
readonly "stamps": Stamps;
readonly "asks"?: Asks;
readonly "kind": ModelType;
readonly "name": Name;
/** Where it is; empty is the whole commune. */
readonly "hamlets": readonly (HamletId)[];
readonly "decision"?: {
readonly "number": string;
readonly "date": Date;
};
readonly "points": number;
readonly "groups": number;
readonly "state": {
readonly "is": "proposed" | "decided" | "active" | "needs_strengthening" | "ended";
readonly "since": Date;
};
readonly "note"?: Line;
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

/** A launch point or a drive. */
export type OutreachDocument = {
readonly "_id": string;
readonly "type": "outreach";
readonly "v": 1;
readonly "by": UserId;
readonly "stamps": Stamps;
readonly "kind": "launch" | "drive";
readonly "date": Date;
/** A place, never a person's house. */
readonly "place": Label;
/** How many people, never who. */
readonly "present": number;
readonly "topics": readonly ("pccc" | "atgt" | "weapons" | "identity" | "general")[];
readonly "note"?: Line;
};

/** What is known of one picture, named by the digest of its bytes. Equipment only; no place, no time, no device. */
export type PhotoDocument = {
readonly "_id": string;
readonly "type": "photo";
readonly "v": 1;
readonly "by": UserId;
readonly "stamps": Stamps;
readonly "mime": "image/webp" | "image/jpeg";
readonly "bytes": number;
readonly "width": number;
readonly "height": number;
readonly "inspection": Ulid;
readonly "item": ItemId;
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

/** What staff decided about a document of this hamlet; it stands while the document's reviewed fields have this digest. */
export type ReviewDocument = {
readonly "_id": string;
readonly "type": "review";
readonly "v": 1;
readonly "by": UserId;
readonly "stamps": Stamps;
readonly "asks"?: Asks;
readonly "decision": {
readonly "is": "approved" | "returned";
/** server/review.py, `digest`. */
readonly "digest": Sha256;
readonly "comment"?: Line;
/** The wording that the comment began from. */
readonly "template"?: ItemId;
};
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

/** An agency, an enterprise or a school. Its pledge is pledge:<campaign>:<ulid>, as a household's. */
export type UnitDocument = {
readonly "_id": string;
readonly "type": "unit";
readonly "v": 1;
readonly "by": UserId;
readonly "stamps": Stamps;
readonly "name": Name;
readonly "kind": "agency" | "enterprise" | "school";
/** Whether TT 124/2021/TT-BCA, article 1, counts it: no small or micro enterprise, no primary school or preschool. */
readonly "in_scope": boolean;
readonly "place"?: Place;
readonly "status": {
readonly "is": "active" | "moved" | "closed" | "entered_in_error";
readonly "since": Date;
};
};
