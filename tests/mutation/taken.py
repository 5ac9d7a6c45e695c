"""Faults of names that somebody has taken before, which follow from what another person has said."""

from tests.mutation.faults import Fault

NAMES = "tests/server/http/test_taken_names.py"

TAKEN = (
    Fault(
        "an act is taken for another one by the id that it would have beside it",
        "server/aside.py",
        '    while name in there and timeless(there[name]) != timeless({**said, "id": name}):\n',
        "    while False:\n",
        (NAMES,),
    ),
)
