"""A season in words: one line a step. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from tests.sim.proxy import Fault
from tests.sim.season import DAY, HOUR, MINUTE, Season, Step, walks

_FAULTS = {
    "refuse": "the connection fails",
    "bad_gateway": "a proxy answers 502",
    "unknown": "a proxy answers 404",
    "cut_request": "the request breaks off at {at:.0%}",
    "deaf": "the answer is lost",
    "cut_answer": "the answer breaks off at {at:.0%}",
    "truncate": "the answer's body ends at {at:.0%}, unsaid",
    "twice": "the request goes twice",
    "late": "a copy of the request is kept for later",
    "hold": "the request waits for the others",
    "kill": "the server is killed over it",
}
_SAID = {
    "join": "Phone {phone} joins.",
    "visit": "Phone {phone} records a visit ({result}) at {where}.",
    "sign": "Phone {phone} records a signature ({method}) at {where}.",
    "edit": "Phone {phone} changes {change} of {where}.",
    "add": "Phone {phone} adds a household, {where}.",
    "void": "Phone {phone} takes its own act at {where} back.",
    "meeting": "Phone {phone} records a meeting in {hamlet}: {households}.",
    "inspect": "Phone {phone} inspects the {subject} ({inspected}): {count}{pictures}.",
    "attack": "Phone {phone} is in the wrong hands: {kind} ({where}).",
    "newer": "Phone {phone}, with an app that this server is too old for, changes {where}.",
    "unmerge": "The office parts {where} from what it was merged into.",
    "split": "The office founds {name}, and moves {households} of {hamlet} to it{with_people}.",
    "reunite": "The office lets founded hamlet {number} become part of {into}.",
    "choose": "The office chooses among the answers of {inspected} (number {take}).",
    "erase_photo": "The office erases a photograph of {inspected}.",
    "open": "Phone {phone} opens a form ({form}) at {where}.",
    "save": "Phone {phone} saves {form}: {what}, {change}.",
    "sync": "Phone {phone} syncs{plainly}{weakly}.",
    "together": "Phones {phones} sync at once.",
    "hand_in": "Phone {phone}, locked, hands in.",
    "kill_app": "Phone {phone}: the app is killed.",
    "bundle": "Phone {phone} gives away unsent records{by_codes} ({bundle}).",
    "carry": "Phone {phone} carries {bundle} to the server ({how}).",
    "take": "Phone {phone} takes {bundle} along, to hand it in ({how}).",
    "receipts": "Phone {phone} brings receipts{by_codes} to phone {to}.",
    "phone_clock": "Phone {phone}: its clock is off by {wrong}.",
    "lose": "Phone {phone} loses all that it stored, and joins again.",
    "kill_server": "The server is killed (-9), and started again.",
    "stop_server": "The server is stopped, and started again.",
    "backup": "A backup is made.",
    "restore": "The server's data are lost: the last backup is restored (who joined since: {unknown}).",
    "keep": "The server is stopped, its files are copied, and it is started again.",
    "put_back": "The copied files are put back by hand{by_hand} (who joined since: {unknown}).",
    "by_hand": "`camket restore --by-hand`, if the files were put back and nobody has said so.",
    "rejoin": "Phone {phone}, if the server does not know it any more, joins again as who it was.",
    "confirm": "The admin confirms the phones that only hand in.",
    "server_clock": "The server's clock is off by {wrong}.",
    "replay": "Copies of old requests reach the server.",
    "revoke": "Phone {phone} is revoked.",
    "review": "The office looks at the {kind} of {where}: {decision}.",
    "correct": "The office corrects {where}.",
    "withdraw": "The office enters that {where} withdrew.",
    "bring_back": "The office brings a value of {where} back that had lost.",
    "merge": "The office merges {where} into {keep}.",
    "erase": "The office erases {where}.",
    "move": "The office moves {households} of {hamlet} to {into} (none named: all of it).",
    "release": "The office lets in what waits in quarantine.",
    "discard": "The office discards what waits of a revoked phone, or of one whose clock was wrong.",
    "quiet": "Everybody syncs until nothing moves.",
    "part": "A second server begins, as a copy; phones {phones} speak to that one.",
    "meet": "The two servers exchange until nothing moves; there is one again.",
}


def tell(season: Season) -> str:
    """The whole season, as people read it."""
    who = ", ".join(
        f"{phone} (volunteer {volunteer}: {' and '.join(walks(volunteer))})"
        for phone, volunteer in enumerate(season.phones)
    )
    return "\n".join([f"Phones: {who}.", *lines(season.steps)])


def lines(steps: Iterable[Step]) -> list[str]:
    """One line a step."""
    return [f"{number:4}. {line(step)}" for number, step in enumerate(steps, 1)]


def line(step: Step) -> str:
    """One step."""
    args = step.args
    where = f"{args.get('hamlet', '')}/{args.get('household', '')}"
    words: dict[str, Any] = {
        "change": {},
        "unknown": "rejoin",
        **args,
        "phone": step.phone,
        "where": where,
        "inspected": f"inspection {args.get('hamlet', '')}/{args.get('inspection', '')}",
        "pictures": f", with {len(args.get('photos', ()))} photographs" if args.get("photos") else "",
        "by_codes": " by QR codes" if args.get("codes") else "",
        "plainly": " by plain CouchDB" if args.get("plain") else "",
        "with_people": " with whoever walks there" if args.get("people") else "",
        "by_hand": ", and nobody says so yet" if args.get("unsaid") else ", with `camket restore --by-hand`",
        "weakly": " over a weak link" if args.get("weak") else "",
        "wrong": _span(args.get("wrong", 0)),
    }
    said = _SAID[step.do].format_map(words)
    if step.ms >= 2 * HOUR:
        said = f"({_span(step.ms)} later) {said}"
    return " ".join([said, *_extras(args)])


def _extras(args: Mapping[str, Any]) -> list[str]:
    faults = args.get("faults") or []
    of_each = faults if any(isinstance(one, list) for one in faults) else [faults]
    extras = []
    for number, of_one in zip(args.get("phones", [""]), of_each, strict=False):
        if of_one:
            said = "; then ".join(fault_in_words(fault) for fault in of_one)
            extras.append(f"[{f'{number}: ' if number != '' else ''}{said}]")
    if "moment" in args:
        extras.append(f"[the app dies at moment {args['moment']}]")
    if "full" in args:
        extras.append(f"[no room for write {args['full']}]")
    return extras


def fault_in_words(fault: Fault) -> str:
    """What happens to a request."""
    return _FAULTS[fault.kind].format(at=fault.at)


def _span(ms: int) -> str:
    sign = "-" if ms < 0 else ""
    for size, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if abs(ms) >= size:
            return f"{sign}{abs(ms) / size:.3g} {name}"
    return f"{sign}{abs(ms) / 1000:.3g} s"
