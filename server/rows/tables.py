"""Every table of the product, on SQLite or PostgreSQL.

Two kinds live here. The READ MODEL is projected from the documents by `server.follower` and may be thrown
away and rebuilt at any time; each row is keyed by (db, id), as its document is. PRIMARY tables are said
nowhere else: archive, quarantine, ledger, audit, people, devices, keys. Instants are UTC text
(`YYYY-MM-DDTHH:MM:SSZ`), as in the documents, so that text order is time order.
"""

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from server.rows.registers import ordered

SCHEMA_VERSION = 5
"""Raised with every change of a table: `server.rows.engine` refuses data of a newer one, and has those of an
older one projected again."""

# ---- The read model -------------------------------------------------------------------------------------


class HamletRow(SQLModel, table=True):
    """A hamlet of the commune, as its document says."""

    __tablename__ = "hamlet_row"
    db: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    rev: str
    hamlet: str = Field(unique=True, description="The id in `hamlet:<id>` and in the names of its databases")
    name: str
    kind: str
    place: int = Field(description="`order` of the document: where it stands in lists")
    state: str


class CampaignRow(SQLModel, table=True):
    """A campaign, as its document says."""

    __tablename__ = "campaign_row"
    db: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    rev: str
    campaign: str = Field(unique=True)
    name: str
    starts: str
    ends: str
    target: int = Field(description="Whole percent; the commune aims to be above it")
    counts: list[str] = Field(sa_type=JSON, description="Household statuses in the denominator")
    touch_counts: bool
    clauses: int
    notice: int
    state: str


class WordingRow(SQLModel, table=True):
    """One version of the clauses or of the privacy notice."""

    __tablename__ = "wording_row"
    db: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    rev: str
    kind: str = Field(description="clauses | notice")
    version: int
    title: str
    items: list[str] = Field(sa_type=JSON)


class HouseholdRow(SQLModel, table=True):
    """A household, with what lists and search need beside it."""

    __tablename__ = "household_row"
    __table_args__ = (
        Index("household_by_name", "db", "sort_key", "id"),
        Index("household_by_walk", "db", "walk", "id"),
    )
    db: str = Field(primary_key=True)
    id: str = Field(sa_column=ordered("id", primary_key=True))
    rev: str
    ulid: str = Field(sa_column=ordered("ulid", index=True))
    name: str
    house: str = ""
    lane: str = ""
    walk: int = Field(description="`order` of the document: the place on the walk")
    status: str
    since: str = Field(description="The date from which the status holds")
    into: str | None = Field(default=None, description="The household that it was merged into")
    by: str
    stamp: str = Field(description="The greatest stamp of the document")
    folded: str = Field(sa_column=Column("folded", Text, nullable=False))
    sort_key: str = Field(sa_column=ordered("sort_key"))


class PledgeRow(SQLModel, table=True):
    """A pledge and its derived outcome: which acts stand, not how often somebody called."""

    __tablename__ = "pledge_row"
    __table_args__ = (Index("pledge_by_subject", "campaign", "db", "subject"),)
    db: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    rev: str
    campaign: str
    subject: str = Field(sa_column=ordered("subject"))
    signed: bool = Field(description="A `signed` act stands that no `voided` or `withdrawn` names")
    on_paper: bool = Field(description="Such an act stands that was not made by touch")
    visited: bool = Field(description="At least one act of the household itself stands")
    last_result: str | None = Field(default=None, description="Result of the last standing visit")
    first_signed_at: str | None = Field(default=None, description="When the first standing one was signed")
    last_at: str | None = Field(default=None, description="When the last act was made")
    by: str
    stamp: str


class ActRow(SQLModel, table=True):
    """One act of a pledge. `standing` is false once a `voided` or `withdrawn` names it."""

    __tablename__ = "act_row"
    __table_args__ = (Index("act_by_time", "db", "at"), Index("act_by_id", "id"))
    db: str = Field(primary_key=True)
    doc_id: str = Field(primary_key=True)
    id: str = Field(sa_column=ordered("id", primary_key=True))
    kind: str
    at: str
    by: str
    standing: bool
    result: str | None = None
    target: str | None = None
    signer: str | None = None
    role: str | None = None
    title: str | None = None
    method: str | None = None
    assisted: bool | None = None
    witness: str | None = None
    clauses: int | None = None
    notice: int | None = None
    read_aloud: bool | None = None
    signature: str | None = Field(default=None, description="sha256 of the strokes")
    meeting_date: str | None = None
    sheet: int | None = None


class AttentionRow(SQLModel, table=True):
    """A document that staff must look at, because no rule can settle it."""

    __tablename__ = "attention_row"
    db: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    why: str = Field(
        primary_key=True, description="asks | newer_version | invalid | deleted_and_edited | bodies_missing"
    )
    detail: list[str] = Field(sa_type=JSON, description="Fields or revisions, never values")


class MovedRow(SQLModel, table=True):
    """A document that went to another database; and in `commune` a hamlet that was merged into another."""

    __tablename__ = "moved_row"
    db: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    rev: str
    target: str = Field(description="The database of the hamlet where it went, last")
    stray: bool = Field(description="Something was written here after it had gone: it is moved on")


# ---- Primary: the documents' history --------------------------------------------------------------------


class Archive(SQLModel, table=True):
    """Every body that was accepted, before it was grafted: history does not depend on compaction."""

    __tablename__ = "archive"
    db: str = Field(primary_key=True)
    id: str = Field(sa_column=ordered("id", primary_key=True))
    rev: str = Field(primary_key=True)
    generation: int
    parent: str | None = Field(default=None, description="The revision that it was made from")
    body: bytes = Field(sa_column=Column("body", LargeBinary, nullable=False))
    deleted: bool = False
    by: str | None = Field(default=None, description="Author, as the body says")
    stamp: str | None = Field(default=None, index=True, description="The body's `*` stamp")
    entered_at: str
    entered_by: str | None = Field(default=None, description="Caller whose request brought it")
    source: str = Field(description="sent | derived | merged | released | moved")


class Quarantine(SQLModel, table=True):
    """A revision that may not enter by itself: a person releases it, corrected where it must be."""

    __tablename__ = "quarantine"
    __table_args__ = (
        UniqueConstraint("db", "doc_id", "rev"),
        Index("quarantine_by_state", "state", "number"),
        Index("quarantine_by_sender", "sender", "state", "size"),
    )
    number: int | None = Field(default=None, sa_column=Column("number", Integer, primary_key=True))
    db: str
    doc_id: str
    rev: str
    path: list[str] = Field(sa_type=JSON, description="The revision and its ancestors, newest first")
    body: bytes = Field(sa_column=Column("body", LargeBinary, nullable=False))
    deleted: bool = False
    why: str = Field(description="One of server.quarantine.Why")
    skew_ms: int | None = Field(
        default=None, sa_type=BigInteger, description="Server's clock minus the phone's; it may be years"
    )
    user: str | None = None
    device: str | None = None
    sender: str = Field(
        default="", description="Who handed it in, proven: the device or, of a stranger's, its carrier"
    )
    size: int = Field(default=0, description="Bytes of its body and path")
    received_at: str
    state: str = Field(default="waiting", description="waiting | released | discarded")
    released_as: str | None = Field(default=None, description="The revision that came of it")
    decided_by: str | None = None
    decided_at: str | None = None


class Ledger(SQLModel, table=True):
    """Ids that must stay erased or revoked. Restoring a backup adds to it and never takes from it."""

    __tablename__ = "ledger"
    __table_args__ = (Index("ledger_by_id", "kind", "id"),)
    kind: str = Field(primary_key=True, description="erased | revoked | late")
    db: str = Field(primary_key=True, description="Empty for devices; for what is late, who drew it")
    id: str = Field(primary_key=True)
    at: str
    by: str


class Apart(SQLModel, table=True):
    """Two households that people have told apart: they are not offered as one again."""

    __tablename__ = "apart"
    db: str = Field(primary_key=True)
    one: str = Field(primary_key=True, description="The lesser ULID of the two")
    other: str = Field(primary_key=True)
    at: str
    by: str


class Audit(SQLModel, table=True):
    """Who saw, changed or exported what; ids only. Each row's hash covers the row before."""

    __tablename__ = "audit"
    number: int = Field(sa_column=Column("number", Integer, primary_key=True, autoincrement=False))
    at: str
    actor: str
    action: str
    subject: str = Field(description="Ids of what it was done to; never a name")
    previous: str = Field(description="sha256 hex of the row before; 64 zeros for the first")
    hash: str = Field(unique=True)


class Cursor(SQLModel, table=True):
    """How far a follower has read a database. Written in the same commit as what it read."""

    __tablename__ = "cursor"
    follower: str = Field(primary_key=True)
    db: str = Field(primary_key=True)
    seq: str = Field(description="JSON of the store's sequence: compared for equality only")


class Meta(SQLModel, table=True):
    """Facts about this data itself: schema version, commune's name, whether it is a demo."""

    __tablename__ = "meta"
    key: str = Field(primary_key=True)
    value: str


# ---- Primary: people, phones, keys ----------------------------------------------------------------------


class User(SQLModel, table=True):
    """A person with an account. Only staff and observers have a login; others have phones."""

    __tablename__ = "users"
    id: str = Field(primary_key=True, description="[a-z0-9]{4,16}; the `by` of documents")
    name: str
    role: str = Field(description="volunteer | hamlet_head | reviewer | admin | observer")
    login: str | None = Field(default=None, unique=True)
    password: str | None = Field(default=None, description="Argon2id hash")
    totp: bytes | None = Field(default=None, description="Secret, sealed with the server's own")
    totp_step: int | None = Field(default=None, description="The last time step used: no code works twice")
    created_at: str
    disabled_at: str | None = None


class UserHamlet(SQLModel, table=True):
    """A hamlet that a person of the field holds."""

    __tablename__ = "user_hamlet"
    user: str = Field(primary_key=True, foreign_key="users.id")
    hamlet: str = Field(primary_key=True, index=True)


class RecoveryCode(SQLModel, table=True):
    """One of an admin's ways back in without the authenticator. Removed when used."""

    __tablename__ = "recovery_code"
    user: str = Field(primary_key=True, foreign_key="users.id")
    code: str = Field(primary_key=True, description="sha256 hex")


class Invitation(SQLModel, table=True):
    """A way in, once: for a phone, or for staff to set a password."""

    __tablename__ = "invitation"
    id: str = Field(primary_key=True)
    purpose: str = Field(description="device | staff")
    user: str = Field(foreign_key="users.id", index=True)
    code: str = Field(unique=True, description="sha256 hex of the code")
    created_at: str
    created_by: str
    expires_at: str
    device: str | None = Field(default=None, description="The device that redeemed it last")
    spent_at: str | None = Field(default=None, description="Set by the first exchange, or when it was voided")


class Device(SQLModel, table=True):
    """One user on one phone: its credentials (as sha256 hex) and when it was seen."""

    __tablename__ = "device"
    id: str = Field(primary_key=True, description="[a-z0-9]{4,16}; the device of stamps")
    user: str = Field(foreign_key="users.id", index=True)
    name: str
    credential: str = Field(description="sha256 hex of the full credential's secret")
    send: str = Field(description="sha256 hex of the send-only credential's secret")
    invitation: str | None = Field(default=None, foreign_key="invitation.id")
    created_at: str
    first_exchange_at: str | None = None
    last_seen_at: str | None = None
    revoked_at: str | None = None
    replaced_at: str | None = Field(default=None, description="Its invitation was opened again before use")
    send_only_at: str | None = Field(default=None, description="After a restore, until an admin confirms it")
    recovering_at: str | None = Field(
        default=None, description="When it named revisions that this server has lost"
    )


class Claim(SQLModel, table=True):
    """A phone that joined a restored server as one that this does not know: it may be or not."""

    __tablename__ = "claim"
    device: str = Field(primary_key=True, foreign_key="device.id")
    claimed_at: str
    contested_at: str | None = Field(default=None, description="Another phone said that it was this one")
    confirmed_at: str | None = Field(default=None, description="An admin had it in hand")


class OfficeSession(SQLModel, table=True):
    """A signed-in browser."""

    __tablename__ = "session"
    token: str = Field(primary_key=True, description="sha256 hex of the cookie")
    user: str = Field(foreign_key="users.id", index=True)
    csrf: str
    created_at: str
    seen_at: str
    expires_at: str


class Key(SQLModel, table=True):
    """A key pair of the server's: `seal` opens sealed records, `recovery` opens phones' data keys."""

    __tablename__ = "key"
    id: str = Field(primary_key=True)
    purpose: str = Field(description="seal | recovery | secret")
    spki: bytes = Field(description="Public key, DER")
    private: bytes = Field(description="Private key, DER, sealed with CAMKET_SECRET where there is one")
    created_at: str
    retired_at: str | None = None


class RecoveryRequest(SQLModel, table=True):
    """A phone whose PIN is forgotten: its data key, to be sealed again for it when an admin approves."""

    __tablename__ = "recovery_request"
    id: str = Field(primary_key=True)
    device: str = Field(foreign_key="device.id", index=True)
    wrapped: bytes
    reply_key: bytes = Field(description="Public key to seal the answer to, DER")
    state: str = Field(default="pending", description="pending | approved | refused")
    answer: bytes | None = None
    asked_at: str
    decided_at: str | None = None
    decided_by: str | None = None


class Attempt(SQLModel, table=True):
    """A try at a login, a code or a second factor: what the limits count. Swept when it no longer counts."""

    __tablename__ = "attempt"
    __table_args__ = (Index("attempt_by_key", "key", "at"),)
    number: int | None = Field(default=None, sa_column=Column("number", Integer, primary_key=True))
    key: str = Field(description="What is limited: `login:<name>`, `code:<address>` …")
    at: str
