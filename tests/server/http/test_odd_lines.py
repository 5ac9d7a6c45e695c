"""Whatever one line of a bundle holds, it costs that line and no other."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any

import pytest

from server.erasing import Eraser
from sync.exchange import Status
from sync.hooks import Answer, Caller
from sync.store.interface import Edit
from tests.server import documents
from tests.server.http.served import DB, HOUSEHOLD, Phone, Served

OTHER, THIRD = documents.OTHER, "01J8ZQ4T6N3VXK2M5R7W9Y0ABE"

deep: list[Any] = []
for _ in range(900):
    deep = [deep]
ODD: Sequence[Any] = (None, 5, "", [], {}, [None], deep)


def odd_documents(phone: Phone) -> Iterator[dict[str, Any]]:
    """Kinds of documents that are looked at before they are judged, each with one part that is odd; of a
    household that was erased, and of one that was not."""
    touched = documents.signed(by=phone.user, method="touch", signature="5" * 64)
    made = (
        *(documents.pledge(touched, by=phone.user, ulid=ulid) for ulid in (HOUSEHOLD, OTHER)),
        documents.household(OTHER, phone.user),
        documents.signature(by=phone.user),
        documents.inspection(by=phone.user),
        documents.photo(phone.user),
    )
    for number, doc in enumerate(made):
        named = {"_rev": f"1-{number:032x}", "_revisions": {"start": 1, "ids": [f"{number:032x}"]}}
        sound = {**doc, **named, "stamps": {"*": f"{phone.now():013d}-0000-{phone.device}"}}
        for place in _places(sound):
            for value in ODD:
                yield _with(sound, place, value)


def _places(doc: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if at:
        yield at
    if len(at) < (3 if at[:1] == ("acts",) else 1) and isinstance(doc, dict | list):
        for key, value in doc.items() if isinstance(doc, dict) else enumerate(doc):
            yield from _places(value, (*at, key))


def _with(doc: dict[str, Any], place: tuple[Any, ...], value: Any) -> dict[str, Any]:
    changed: Any = deepcopy(doc)
    into = changed
    for key in place[:-1]:
        into = into[key]
    into[place[-1]] = value
    return dict(changed)


async def test_an_odd_document_costs_no_other_line_its_receipt(camket: Served) -> None:
    phone, courier = await camket.phone(), await camket.phone(camket.person("Triệu Văn Quân"))
    parts = camket.parts
    await Eraser(parts.store, parts.rows, parts.clock).erase("office01", DB, HOUSEHOLD)
    odd = [phone.seal(doc) for doc in odd_documents(phone)]
    odd += [phone.seal(phone.visit(THIRD), **{name: one}) for name in ("send", "clock", "db") for one in ODD]
    good = phone.seal(phone.visit(THIRD))
    told = await courier.hand_in(good, *odd, phone.seal(phone.visit("01J8ZQ4T6N3VXK2M5R7W9Y0ABF")))
    assert [one["line"] for one in told] == [*range(1, len(odd) + 3)]
    assert [told[0]["is"], told[-1]["is"]] == ["received", "received"]
    assert {one["is"] for one in told[1:-1]} <= {one.value for one in Status}


async def test_a_line_on_which_the_server_itself_fails_has_no_receipt_and_the_others_have_theirs(
    camket: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone, admit = await camket.phone(), camket.parts.intake.admit

    async def failing(caller: Caller, db: str, edits: Sequence[Edit]) -> Sequence[Answer]:
        if any(OTHER in edit.id for edit in edits):
            raise ZeroDivisionError
        return await admit(caller, db, edits)

    monkeypatch.setattr(camket.parts.intake, "admit", failing)
    records = [phone.seal(phone.visit(ulid)) for ulid in (HOUSEHOLD, OTHER, THIRD)]
    answer = await phone.ask_sealed(phone.bundle(*records))
    assert [(one["line"], one["is"]) for one in answer.json()["receipts"]] == [
        (1, "received"),
        (3, "received"),
    ]
