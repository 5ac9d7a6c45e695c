"""What a credential says: who is asking, and which hamlets are theirs."""

from dataclasses import dataclass
from enum import StrEnum

COMMUNE = "commune"


class Role(StrEnum):
    """What a person does here; the values are stored, and travel to the phone."""

    VOLUNTEER = "volunteer"
    HAMLET_HEAD = "hamlet_head"
    REVIEWER = "reviewer"
    ADMIN = "admin"
    OBSERVER = "observer"

    @property
    def walks(self) -> bool:
        """Carries a phone from door to door."""
        return self in WALKERS

    @property
    def staff(self) -> bool:
        """Works in the office, and sees every hamlet of the commune."""
        return self in STAFF


WALKERS = frozenset({Role.VOLUNTEER, Role.HAMLET_HEAD})
STAFF = frozenset({Role.REVIEWER, Role.ADMIN})


@dataclass(frozen=True, slots=True)
class Grant:
    """Who a credential speaks for, read afresh from the rows at each request.

    `device` is the phone's id, `None` for staff at a browser. `hamlets` are the hamlet ids that the person
    holds now; for staff those of the whole commune. `send_only` grants read nothing and write through
    `/sealed` alone. `live` is false where the phone or the person was revoked: only `/sealed` still hears
    them, and what they hand in goes to quarantine.
    """

    user: str
    name: str
    role: Role
    hamlets: frozenset[str]
    device: str | None = None
    send_only: bool = False
    live: bool = True

    @property
    def databases(self) -> tuple[str, ...]:
        """The databases that a phone with this grant holds, the shared one first."""
        return (COMMUNE, *(f"hamlet-{hamlet}" for hamlet in sorted(self.hamlets)))

    def may_read(self, db: str) -> bool:
        """Whether the database is among what the person holds (photographs go with their hamlet)."""
        return not self.send_only and (db == COMMUNE or self._holds(db))

    def may_write(self, db: str) -> bool:
        """Whether documents may enter here at all; what may, intake decides for each."""
        return self.live and self._holds(db)

    def _holds(self, db: str) -> bool:
        kind, _, hamlet = db.partition("-")
        return kind in {"hamlet", "media"} and hamlet in self.hamlets
