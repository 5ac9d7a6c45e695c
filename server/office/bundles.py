"""Files of sealed records that somebody brought on a stick or by Zalo: into the drop box, and receipts back.

Nothing is decided here: each file goes through `server.sealed` as if a phone had handed it in, so it may come
twice, by halves, late and out of order. What the drop box answered is kept for whoever handed the files in,
to be read, and to be fetched as a file for the phones that sealed the records.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import orjson
from anyio import to_thread
from starlette.datastructures import UploadFile
from starlette.responses import Response

from server import problems
from server.body import BUNDLE, MIB
from server.bundle import LINES, RECEIPTS, read_bundle, receipts_text
from server.office.desk import HEADERS, Desk
from server.office.uploads import Shelf, UploadGone, own_name
from server.problems import BadRequest, TooLarge
from server.sealed import Inbox
from server.words import HERE
from sync.store.interface import StoreFull

BASE, SECTION = "/office/bundles", "quarantine"
FILES = 100
"""At once; how large they may be and how many lines they may have is for all of them together."""

LIMIT = BUNDLE + 1
"""MiB of the form: what the drop box takes, and the form around it."""

SHOWN = 100
"""Reasons of one file on the page, and runs of lines for one reason; of more, that there are more."""


class Tally(NamedTuple):
    """How many records of a bundle are new, were there already, wait for staff, and were not taken."""

    received: int
    known: int
    held: int
    refused: int

    def __str__(self) -> str:
        return " ".join(f"{name}={count}" for name, count in self._asdict().items())


class Told(NamedTuple):
    """What came of one file: `wrong` says why it was refused whole, `why` names lines by reason."""

    name: str
    wrong: str
    tally: Tally
    why: Sequence[tuple[str, str]]
    later: str = ""
    """Why some were not taken now: they stay on their phones, and may be handed in again."""


async def show(desk: Desk) -> Response:
    """The form."""
    return await _form(desk)


async def hand_in(desk: Desk) -> Response:
    """Put each file into the drop box, and go on to what came of them."""
    files = desk.files("files")
    if not files:
        return await _form(desk, wrong=desk.words.say("office.import.no_file"))
    left = LINES
    kept: list[dict[str, Any]] = []
    for file in files:
        one = await _take(desk, file, left)
        left -= len(one["receipts"])
        kept.append(one)
    data = orjson.dumps(kept)
    token = await to_thread.run_sync(lambda: _shelf(desk).add(desk.user, "", data, desk.now))
    return desk.to(f"{BASE}/{token}")


async def show_result(desk: Desk) -> Response:
    """What came of the files."""
    try:
        kept = await _kept(desk)
    except UploadGone:
        return desk.to(BASE, "office.flash.bundle_gone", kind="warn")
    told = [
        Told(
            one["name"], one["wrong"], tally(one["receipts"]), reasons(one["receipts"]), one.get("later", "")
        )
        for one in kept
    ]
    return await desk.render(
        "bundles_result.html",
        SECTION,
        files=told,
        total=Tally(*map(sum, zip(*(one.tally for one in told), strict=True))),
        later=sorted({one.later for one in told if one.later}),
        token=desk.path("token"),
        provable=any("proof" in receipt for one in kept for receipt in one["receipts"]),
        shown=SHOWN,
    )


async def receipts(desk: Desk) -> Response:
    """The receipts as a file for the phones."""
    try:
        kept = await _kept(desk)
    except UploadGone:
        return desk.to(BASE, "office.flash.bundle_gone", kind="warn")
    text = receipts_text(receipt for one in kept for receipt in one["receipts"])
    name = f"camket-bao-nhan-{desk.now.astimezone(HERE):%Y-%m-%d}.txt"
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type="text/plain", headers=headers)


def tally(told: Iterable[Mapping[str, Any]]) -> Tally:
    """Count the receipts of one bundle."""
    counts = {"received": 0, "known": 0, "held": 0, "refused": 0}
    for one in told:
        counts[_became(one)] += 1
    return Tally(**counts)


def reasons(told: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Why lines were not taken, each reason with the lines of the file, of which the first is its head."""
    found: dict[str, list[int]] = {}
    for one in told:
        if _became(one) == "refused":
            found.setdefault(one.get("reason", ""), []).append(one["line"] + 1)
    # a line that holds several documents is named once
    return [(reason, spans(list(dict.fromkeys(lines)))) for reason, lines in found.items()]


def spans(lines: Sequence[int]) -> str:
    """Ascending numbers, runs drawn together."""
    runs = [[line for _, line in run] for _, run in groupby(enumerate(lines), lambda pair: pair[1] - pair[0])]
    said = [f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs]
    return ", ".join(said[:SHOWN] + ["…"] * (len(said) > SHOWN))


def _became(receipt: Mapping[str, Any]) -> str:
    match receipt["is"]:
        case "received" | "absorbed":
            return "known" if receipt["known"] else "received"
        case "quarantined":
            return "held"
        case _:
            return "refused"


async def _take(desk: Desk, file: UploadFile, left: int) -> dict[str, Any]:
    """One file into the drop box, of which `left` more lines may come; as it is kept."""
    one: dict[str, Any] = {"name": own_name(file.filename or ""), "wrong": "", "receipts": []}
    try:
        data = await file.read()
        if RECEIPTS.encode() in data[:40]:
            raise BadRequest("office.bundles.is_receipts")
        key_id, lines = read_bundle(data)
        if len(data) > BUNDLE * MIB or len(lines) > left:
            raise TooLarge(BUNDLE)
        inbox = Inbox(desk.parts, desk.words, desk.user)
        found = await inbox.take(key_id, lines)
    except TooLarge:
        one["wrong"] = desk.words.say("office.bundles.too_large", **_limits(desk))
    except (BadRequest, StoreFull) as error:
        problem, values = problems.said(error)
        one["wrong"] = problem.reason(desk.words, **values)
    else:
        one["later"] = inbox.later or ""
        one["receipts"] = [{**receipt.tell(), "known": receipt.known} for receipt in found]
        await desk.noted("bundle.handed_in", str(tally(one["receipts"])))
    return one


async def _form(desk: Desk, wrong: str = "") -> Response:
    status = 422 if wrong else 200
    return await desk.render("bundles.html", SECTION, status, wrong=wrong, limits=_limits(desk))


async def _kept(desk: Desk) -> list[dict[str, Any]]:
    kept = await to_thread.run_sync(_shelf(desk).get, desk.path("token"), desk.user, desk.now)
    found: list[dict[str, Any]] = orjson.loads(kept.data)
    return found


def _shelf(desk: Desk) -> Shelf:
    return Shelf(desk.parts.settings.data, desk.parts.vault, "bundles")


def _limits(desk: Desk) -> dict[str, str]:
    return {"lines": desk.words.number(LINES), "limit": desk.words.number(BUNDLE)}
