"""The commune's own list of households, as messy as real ones.

Pure stages with plain data between them, each in the module of its name:

    read  bytes -> Book          any format, within limits; refuses in words
    recognise  Book -> Found     which lines are households, which columns are taken
    clean  Found -> Clean        names that are names, or a reason why not
    plan  Clean, Known -> Plan   what is new, unchanged, doubtful

`preview` runs them; `apply` writes a plan, all of it or nothing.
"""

from server.lists.apply import Blocked, apply
from server.lists.plan import (
    NEW,
    BadRow,
    Choices,
    Doubt,
    HamletKnown,
    HamletPlanned,
    HouseholdFilled,
    HouseholdKnown,
    HouseholdPlanned,
    Known,
    Plan,
    Question,
    SheetSeen,
)
from server.lists.preview import preview
from server.lists.sheets import Refused

__all__ = [
    "NEW",
    "BadRow",
    "Blocked",
    "Choices",
    "Doubt",
    "HamletKnown",
    "HamletPlanned",
    "HouseholdFilled",
    "HouseholdKnown",
    "HouseholdPlanned",
    "Known",
    "Plan",
    "Question",
    "Refused",
    "SheetSeen",
    "apply",
    "preview",
]
