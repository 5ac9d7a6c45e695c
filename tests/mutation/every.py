"""All faults, in the order in which they are told."""

from tests.mutation.caps import CAPS
from tests.mutation.days import DAYS
from tests.mutation.faults import AUTHORITY, DURABLE, FOR_GOOD, MERGE_RULES, OUTCOMES, SETTLING
from tests.mutation.phone import PHONE
from tests.mutation.pictures import PICTURES
from tests.mutation.places import PHOTOGRAPHS, PLACES
from tests.mutation.taken import TAKEN

FAULTS = (
    *MERGE_RULES,
    *SETTLING,
    *DURABLE,
    *OUTCOMES,
    *AUTHORITY,
    *FOR_GOOD,
    *PHOTOGRAPHS,
    *PLACES,
    *TAKEN,
    *CAPS,
    *DAYS,
    *PHONE,
    *PICTURES,
)
