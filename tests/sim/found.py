"""Stories that once failed, made short, each with what it found; `tests.sim.test_sim` tells them again."""

from collections.abc import Mapping
from typing import Any

from tests.sim.season import DAY, HOUR, Season, Step


def at(household: str = "0", **more: Any) -> Mapping[str, Any]:
    return {"hamlet": "napo", "household": household, **more}


def there(household: str = "0", **more: Any) -> Mapping[str, Any]:
    return {"hamlet": "khuoilan", "household": household, **more}


def change(phone: int, name: str, hamlet: str = "napo") -> Step:
    return Step("edit", phone, args={"hamlet": hamlet, "household": "0", "change": {"name": name}})


def together(*phones: int) -> Step:
    return Step("together", args={"phones": phones, "faults": [[] for _ in phones]})


SYNCED = Step("sync", 0, args={"faults": []})

FOUND = {
    # The restored server knew phone 2's revision by name, from what phone 1 had built on it, and never asked.
    "a value that a restored server had heard of by name alone": Season(1018, (0, 1, 2), (
        Step("join", 1),
        Step("join", 2),
        change(2, "Vi Văn S28X"),
        Step("backup"),
        change(1, "Vi Văn S42X", "khuoilan"),
        together(1, 2),
        change(1, "Vi Văn S45X"),
        Step("restore"),
    )),
    # The phone set its clock right, and with it the time of a visit that a courier had brought already.
    "a bundle that arrives before the phone's clock is set right": Season(2030, (0, 1, 2, 3), (
        Step("join", 1),
        Step("join", 3),
        Step("visit", 3, args={"hamlet": "khuoilan", "household": "0", "result": "come_back"}),
        Step("server_clock", args={"wrong": 2 * HOUR}),
        Step("bundle", 3, args={"bundle": "bundle5", "said": False}),
        Step("carry", 1, 19 * HOUR, {"bundle": "bundle5", "how": "reversed"}),
        together(1, 3),
    )),
    # Reading the files for what was erased dropped the office's locks: it wrote on into a log that was gone.
    "a server that stops after everybody has looked for what was erased": Season(1010, (0,), (
        Step("join", 0),
        Step("edit", 0, args=at("1", change={"name": "Vi Văn S1X"})),
        SYNCED,
        Step("erase", args=at("1")),
        Step("quiet"),
        Step("stop_server"),
        Step("correct", args=at(name="Vi Văn S6X")),
    )),
    # Letting the status in parted the two, and left the one's acts with the other, which was erased.
    "a status that parts a merged household, before the other one is erased": Season(1188, (0, 0, 0, 3), (
        Step("join", 3),
        Step("merge", args=there("1", keep="0")),
        Step("sign", 3, args=there("1", method="touch", signer="Nông S1X", strokes=[[1, 2, 3, 4]])),
        Step("edit", 3, HOUR, there("1", change={"status": {"is": "seasonal_away", "since": "2026-02-09"}})),
        Step("quiet"),
        Step("erase", args=there("0")),
    )),
    # The restored rows know nothing of the phone; the ledger alone says that it is revoked.
    "a phone that joined and was revoked after the backup": Season(1290, (0, 1, 2), (
        Step("join", 0),
        Step("join", 1),
        Step("join", 2),
        Step("backup"),
        Step("lose", 2),
        Step("revoke", 2),
        Step("restore"),
    )),
    # A page asks since whether the admin has compared the clock, and the admin of a season did not say so.
    "an admin who says that the clock is right, against what it has taken": Season(1120, (0, 1, 2, 3), (
        Step("join", 1),
        Step("join", 2),
        Step("join", 3),
        Step("phone_clock", 3, args={"wrong": 400 * DAY}),
        Step("add", 3, args={"hamlet": "khuoilan", "household": "new30", "name": "Lý S30X"}),
        Step("server_clock", args={"wrong": -6 * 365 * DAY}),
        Step("sync", 3, args={"faults": []}),
        Step("revoke", 3),
        Step("sign", 3, args=there("new30", method="paper_signed", signer="Nông S9X")),
    )),
    # It came to a merged hamlet, so to the other one without leaving a trace; then that hamlet stood again.
    "a household that was entered in a hamlet while that was merged": Season(954, (0, 1), (
        Step("join", 0),
        Step("add", 0, args=at("new1", name="Vi Văn S1X")),
        Step("move", args=at(into="khuoilan", households=[])),
        Step("hand_in", 0, args={"faults": []}),
        Step("move", args=there(into="napo", households=["1", "0"])),
        Step("edit", 0, args=at("new1", change={"name": "Vi Văn S2X"})),
    )),
    # It waited, went along with the merge though it was nowhere yet, and its author sent it where it was not.
    "a household that waits while its hamlet is merged and stands again": Season(1519, (0, 1, 0), (
        Step("join", 2),
        Step("backup"),
        Step("phone_clock", 2, args={"wrong": -30 * DAY}),
        Step("add", 2, args=at("new12", name="Lý S13X")),
        Step("restore"),
        Step("sync", 2, args={"faults": []}),
        Step("move", args=at(into="khuoilan", households=[])),
        Step("move", ms=6 * HOUR, args=there(into="napo", households=["0"])),
    )),
    # No winner stood between the two: the second edit took the first one's place on the phone.
    "what a phone that only hands in has built upon what it was told is received": Season(617, (3,), (
        Step("join", 0),
        Step("backup"),
        change(0, "Vi Văn S1X", "khuoilan"),
        Step("restore"),
        SYNCED,
        Step("restore"),
        change(0, "Vi Văn S2X", "khuoilan"),
    )),
    # The restored server did not know the new hamlet, and the phone let it go with all that was in it.
    "a hamlet that was founded after the backup": Season(614, (3,), (
        Step("join", 0),
        Step("backup"),
        change(0, "Vi Văn S1X", "khuoilan"),
        Step("split", args=there(households=["0"], name="Thôn Mới", people=True)),
        SYNCED,
        Step("restore"),
    )),
    # The phone gave back what was ahead of the clock by then, was refused, and moved it in vain.
    "a visit that a server took whose clock was ahead, given back after a restore": Season(28, (3,), (
        Step("join", 0),
        Step("server_clock", args={"wrong": 2 * HOUR}),
        SYNCED,
        Step("visit", 0, 3 * DAY, there(result="met")),
        Step("backup"),
        SYNCED,
        Step("restore"),
    )),
    # Its document came back from a phone, and no database with it: what was recorded there waited for ever.
    "an act in a hamlet that was founded after the backup": Season(802, (0,), (
        Step("join", 0),
        Step("backup"),
        Step("split", args={"hamlet": "napo", "households": ["0"], "name": "Thôn Mới 1", "people": True}),
        SYNCED,
        Step("sign", 0, args=at(method="paper_signed", signer="Nông S1X")),
        SYNCED,
        Step("visit", 0, HOUR, at(result="met")),
        Step("restore"),
    )),
    # The oracle: whoever puts files back by hand also forgets that a photograph was erased.
    "a photograph that was erased after the copy that is put back by hand": Season(800, (0,), (
        Step("join", 0),
        Step("keep"),
        Step("inspect", 0, args={"hamlet": "napo", "inspection": "0", "subject": "unit", "count": 1,
                                 "photos": [1], "drops": False}),
        SYNCED,
        Step("erase_photo", args={"hamlet": "napo", "inspection": "0"}),
        Step("put_back", args={"unsaid": False, "unknown": "wipe"}),
    )),
    # One server's office sent the photograph away, and whoever brought the other's pictures brought it back.
    "a photograph that one of two servers sends away": Season(9115, (0, 1, 2), (
        Step("join", 0),
        Step("join", 1),
        Step("join", 2),
        Step("revoke", 2),
        Step("inspect", 2, args={"hamlet": "napo", "inspection": "0", "subject": "unit", "count": 1,
                                 "photos": [1], "drops": False}),
        Step("sync", 2, args={"faults": []}),
        Step("part", args={"phones": [0]}),
        Step("discard"),
        Step("meet"),
    )),
    # The office of the season took a forgery for a record like others, and let it in.
    "a forgery that waits at a restored server": Season(3091, (0, 1), (
        Step("join", 0),
        Step("join", 1),
        Step("backup"),
        Step("add", 0, args=at("new1", name="Lý S1X")),
        SYNCED,
        Step("sync", 1, args={"faults": []}),
        Step("restore"),
        Step("confirm"),
        Step("sync", 1, args={"faults": []}),
        Step("release"),
        Step("attack", 1, args=at("new1", kind="stamp", mark="S9X")),
    )),
    # A newcomer found it: the name was there, so nobody asked phone 0 what it had by it.
    "the name of what a restore has lost, taken by a colleague": Season(1, (0, 1), (
        Step("join", 0),
        Step("join", 1),
        Step("backup"),
        change(0, "Vi Văn S4X"),
        together(0, 1),
        Step("restore"),
        Step("confirm"),
        Step("attack", 1, args=at(kind="renamed", mark="S8X")),
    )),
    # He named before how what stood was to end: it lived in both hamlets then, and on phones.
    "the names of a household's tombstones, taken before it moves and is erased": Season(1, (0, 1), (
        Step("join", 0),
        Step("join", 1),
        change(0, "Vi Văn S4X"),
        together(0, 1),
        Step("attack", 1, args=at(kind="renamed", mark="S8X")),
        Step("move", args={"hamlet": "napo", "into": "khuoilan", "households": ["0"]}),
        Step("attack", 1, args=at(kind="renamed", mark="S9X")),
        Step("move", args={"hamlet": "khuoilan", "into": "napo", "households": ["0"]}),
        together(0, 1),
        Step("attack", 1, args=at(kind="renamed", mark="S10X")),
        Step("erase", args=at()),
        together(0, 1),
    )),
    # The phone remembered that her pledge was erased, of which the server had never heard.
    "a signature of a household that the office erases meanwhile": Season(1, (0,), (
        Step("join", 0),
        Step("sign", 0, args=at(method="paper_signed", signer="Nông S1X")),
        Step("erase", args=at()),
    )),
}  # fmt: skip
