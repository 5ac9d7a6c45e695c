"""All faults, in the order in which they are told."""

from tests.mutation.faults import AUTHORITY, DURABLE, FOR_GOOD, MERGE_RULES, OUTCOMES, SETTLING
from tests.mutation.phone import PHONE

FAULTS = (*MERGE_RULES, *SETTLING, *DURABLE, *OUTCOMES, *AUTHORITY, *FOR_GOOD, *PHONE)
