"""Faults of the days that are written: in UTC they are those of the day before until seven in the morning."""

from tests.mutation.faults import MERGES, Fault

SINCE = "at_five_in_the_morning_is_so_from_that_day_on"
MERGED = f"tests/server/office/test_duplicates.py::test_what_is_merged_and_parted_{SINCE}"
PHONE = "pwa/tests/days.test.ts"

DAYS = (
    Fault(
        "a household added in the early morning is there since the day before",
        "pwa/src/data/forms.ts",
        "since: localDay(ms)",
        "since: new Date(ms).toISOString().slice(0, 10)",
        (PHONE,),
    ),
    Fault(
        "a unit added in the early morning is there since the day before",
        "pwa/src/data/registers/registers.ts",
        "return localDay(this.at.session().env.now());",
        "return new Date(this.at.session().env.now()).toISOString().slice(0, 10);",
        (PHONE,),
    ),
    Fault(
        "two households that are merged in the early morning are one since the day before",
        "server/office/duplicates.py",
        "local_day(desk.now).isoformat()",
        'f"{desk.now:%Y-%m-%d}"',
        (MERGED,),
    ),
    Fault(
        "a household that is parted in the early morning is there since the day before",
        "server/office/parting.py",
        "local_day(desk.now).isoformat()",
        'f"{desk.now:%Y-%m-%d}"',
        (MERGED,),
    ),
    Fault(
        "a hamlet that is merged in the early morning is so since the day before",
        "server/hamlets.py",
        "local_day(parts.clock()).isoformat()",
        'f"{parts.clock():%Y-%m-%d}"',
        (f"{MERGES}::test_a_hamlet_that_is_merged_{SINCE}",),
    ),
)
