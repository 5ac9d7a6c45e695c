"""The read model of registers and reviews: models, units, checklists, inspections, outreach, bulletins.

As the other projected tables (`server.rows.tables`): rebuildable, keyed by (db, id).
"""

from typing import Any

from sqlalchemy import JSON, Column, Index, String
from sqlmodel import Field, SQLModel

Ordered = String().with_variant(String(collation="C"), "postgresql")
"""Text that is compared by byte on both databases: a server's locale must not decide what follows what."""


def ordered(name: str, **kind: Any) -> "Column[str]":
    """A column of such text."""
    return Column(name, Ordered, nullable=False, **kind)


class ModelRow(SQLModel, table=True):
    """A community model. `points` (điểm) and `groups` (tổ) are two counts, never added up."""

    __tablename__ = "model_row"
    db: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    rev: str
    ulid: str = Field(unique=True)
    kind: str
    name: str
    hamlets: list[str] = Field(sa_type=JSON, description="Empty: the whole commune")
    decision_number: str | None = None
    decision_date: str | None = None
    points: int
    groups: int
    state: str
    since: str
    note: str = ""
    by: str
    stamp: str
    sort_key: str = Field(sa_column=ordered("sort_key"))


class ChecklistRow(SQLModel, table=True):
    """One version of a checklist."""

    __tablename__ = "checklist_row"
    db: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    rev: str
    slug: str = Field(index=True)
    version: int
    title: str
    model: str
    source: str
    sections: list[dict[str, Any]] = Field(sa_type=JSON)
    by: str
    stamp: str


class BulletinRow(SQLModel, table=True):
    """What the office tells its volunteers."""

    __tablename__ = "bulletin_row"
    db: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    rev: str
    ulid: str = Field(unique=True)
    title: str
    text: str
    starts: str = Field(description="`from` of the document")
    until: str = Field(index=True)
    hamlets: list[str] = Field(sa_type=JSON, description="Empty: all")
    by: str
    stamp: str


class UnitRow(SQLModel, table=True):
    """An agency, an enterprise or a school."""

    __tablename__ = "unit_row"
    db: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    rev: str
    ulid: str = Field(sa_column=ordered("ulid", index=True))
    name: str
    kind: str
    in_scope: bool
    house: str = ""
    lane: str = ""
    status: str
    since: str
    by: str
    stamp: str
    sort_key: str = Field(sa_column=ordered("sort_key"))


class InspectionRow(SQLModel, table=True):
    """One inspection. Its score is computed when it is shown (`server.checklists.check`)."""

    __tablename__ = "inspection_row"
    __table_args__ = (Index("inspection_by_subject", "subject", "date"), Index("inspection_by_due", "due"))
    db: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    rev: str
    ulid: str = Field(sa_column=ordered("ulid"))
    subject: str = Field(description="model:<ulid>, unit:<ulid>")
    date: str = Field(index=True)
    checklist: str
    version: int
    answers: dict[str, Any] = Field(sa_type=JSON, description="`values` of the document")
    photos: list[dict[str, str]] = Field(sa_type=JSON)
    findings: str = ""
    what: str | None = None
    due: str | None = Field(default=None, description="Of a follow-up, done or not")
    done: str | None = None
    by: str
    stamp: str


class OutreachRow(SQLModel, table=True):
    """A launch point or a drive."""

    __tablename__ = "outreach_row"
    db: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    rev: str
    ulid: str = Field(sa_column=ordered("ulid"))
    kind: str
    date: str = Field(index=True)
    place: str
    present: int
    topics: list[str] = Field(sa_type=JSON)
    note: str = ""
    by: str
    stamp: str


class RecordRow(SQLModel, table=True):
    """A document that staff review, whatever its type, with the digest that a review must still have."""

    __tablename__ = "record_row"
    __table_args__ = (Index("record_by_stamp", "stamp", "id"),)
    db: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    rev: str
    kind: str
    digest: str = Field(description="server.review.digest")
    ordinary: bool = Field(description="server.review.ordinary")
    by: str
    stamp: str = Field(sa_column=ordered("stamp"))


class ReviewRow(SQLModel, table=True):
    """What staff decided about a record. Whether it stands, the record's digest says."""

    __tablename__ = "review_row"
    __table_args__ = (Index("review_by_subject", "db", "subject"),)
    db: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    rev: str
    subject: str = Field(description="The record's id")
    decided: str = Field(description="approved | returned")
    digest: str
    comment: str = ""
    by: str
    stamp: str
