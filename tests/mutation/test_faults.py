"""The list of faults does not rot: each still names a place that is there, and tests that are there.

Whether the tests see them, `make mutate` finds out.
"""

from collections import Counter

import pytest

from tests.mutation.every import FAULTS
from tests.mutation.faults import Fault
from tests.running import ROOT


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_a_fault_names_one_place_and_tests_that_are_there(fault: Fault) -> None:
    source = (ROOT / fault.file).read_text("utf-8")
    assert source.count(fault.old) == 1, f"{fault.file}: not once\n{fault.old}"
    assert fault.new != fault.old
    for test in fault.tests:
        file, _, name = test.partition("::")
        assert not name or f"def {name}(" in (ROOT / file).read_text("utf-8"), test
        assert (ROOT / file).is_file(), test
    assert fault.tests


def test_every_fault_has_a_name_of_its_own() -> None:
    assert [name for name, times in Counter(fault.name for fault in FAULTS).items() if times > 1] == []
