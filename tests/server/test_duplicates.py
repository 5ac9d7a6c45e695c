"""Households entered twice: which pairs are offered, and how well that is done on a list with known ones."""

from collections.abc import Callable
from random import Random

import pytest

from server.demo import names
from server.duplicates import Household, Likeness, likeness, pairs

SAME, SHORTENED, SLIP, INITIALS, NONE = sorted(Likeness, reverse=True)


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ("Hoàng Thị Mỷ", "Hoàng Thị Mỷ", SAME),
        ("Nguyễn Thị Hoà", "Nguyễn Thị Hòa", SAME),
        ("Lý Thị Thuỵ", "Lí Thị Thụy", SAME),
        ("Đàm Văn Quý", "dam van quy", SAME),
        ("Nông Thị Mỹ", "Nông Thị Mĩ", SAME),
        ("Nguyễn Văn An", "An Nguyễn Văn", SHORTENED),
        ("Nguyễn Văn An", "Ng. V. An", SHORTENED),
        ("Nguyễn Văn An", "Ng.V.An", SHORTENED),
        ("Nguyễn Văn An", "Nguyễn Văn A.", SHORTENED),
        ("Nguyễn Văn An", "N V An", SHORTENED),
        ("Nguyễn Văn An", "Nguyễn An", SHORTENED),
        ("Triệu Văn Khánh", "Triệu Văn Khanhs", SLIP),
        ("Vi Văn Hùng", "Vi Văn Hưng", NONE),
        ("Vi Văn Hùng", "Vi Văn Hung", SAME),
        ("Nguyễn Văn Ân", "Nguyễn Văn An", SAME),
        ("Nguyễn Văn Ấn", "Nguyễn Văn Ân", NONE),
        ("Nguyễn Văn An", "Nguyễn Văn Bình", NONE),
        ("Nguyễn Văn An", "Hoàng Văn An", NONE),
        ("Nguyễn Văn An", "Ng. V. B", NONE),
        ("Nguyễn Văn An", "Ng. V. A", INITIALS),
        ("Nguyễn Văn An", "ông Nguyễn Văn An", SAME),
        ("Nguyễn Thị An", "Bà Nguyễn Thị An", SAME),
        ("Nguyễn Văn An", "Ng V An", SHORTENED),
        ("Nguyễn Văn An", "Nguyễn Văn An (Bình)", SAME),
        ("Nguyễn Văn An", "(An)", NONE),
        ("Vàng Seo Lử", "Vàng Sheo Lử", SAME),
        ("Ông Văn An", "Ông Văn An", SAME),
        ("Nguyễn Văn An", "Bà An", NONE),
        ("An", "An", SAME),
        ("An", "", NONE),
    ],
)
def test_how_alike_two_names_are(one: str, other: str, found: Likeness) -> None:
    assert likeness(one, other) is found
    assert likeness(other, one) is found


def at(number: int, name: str, house: str = "", lane: str = "", order: int = 0) -> Household:
    return Household(f"{number:026d}", name, house, lane, order)


@pytest.mark.parametrize(
    ("one", "other", "offered"),
    [
        (at(1, "Vi Văn An", "", "Ngõ 1", 10), at(2, "Vi Văn An", "", "Ngõ 1", 900), True),
        (at(1, "Vi Văn An", "", "Ngõ 1", 10), at(2, "Vi Văn An", "", "Ngõ 2", 20), False),
        (at(1, "Vi Văn An", "3", "", 10), at(2, "Vi Văn An", "5", "", 20), False),
        (at(1, "Vi Văn An", "", "", 10), at(2, "Vi Văn An", "", "", 900), True),
        (at(1, "Vi Văn An", "", "", 10), at(2, "V. V. An", "", "", 900), False),
        (at(1, "Vi Văn An", "", "", 10), at(2, "V. V. An", "", "", 30), True),
        (at(1, "Vi Văn An", "", "", 10), at(2, "Nông Văn An", "", "", 10), False),
    ],
)
def test_a_pair_takes_a_name_and_a_place(one: Household, other: Household, offered: bool) -> None:
    assert bool(pairs([one, other])) is offered


def test_the_likeliest_pair_comes_first_and_what_was_told_apart_does_not_come_again() -> None:
    there = [
        at(1, "Vi Văn An", "3", "Ngõ 1", 10),
        at(2, "Vi Văn An", "3", "Ngõ 1", 20),
        at(3, "V. V. An", "", "Ngõ 1", 30),
    ]
    assert [(pair.one.id[-1], pair.other.id[-1]) for pair in pairs(there)] == [
        ("1", "2"),
        ("1", "3"),
        ("2", "3"),
    ]
    told = {frozenset({there[0].id, there[1].id})}
    assert [(pair.one.id[-1], pair.other.id[-1]) for pair in pairs(there, told)] == [("1", "3"), ("2", "3")]


# ---- Measured ---------------------------------------------------------------------------------------------


def bare(name: str) -> str:
    from server.names import fold

    return fold(name).title()


def initials(name: str) -> str:
    *others, given = name.split()
    return " ".join([f"{word[:2] if word.startswith('Ng') else word[0]}." for word in others] + [given])


WAYS: dict[str, Callable[[str], str]] = {
    "as it is": lambda name: name,
    "bare": bare,
    "given first": lambda name: " ".join([name.split()[-1], *name.split()[:-1]]),
    "initials": initials,
    "all initials": lambda name: ". ".join(word[0] for word in name.split()),
    "no middle": lambda name: f"{name.split()[0]} {name.split()[-1]}",
    "tone": lambda name: name.replace("òa", "oà").replace("ủy", "uỷ").replace("ý", "í"),
    "slip": lambda name: name + name[-1],
}


def commune(random: Random) -> tuple[list[list[Household]], set[frozenset[str]]]:
    """Hamlets with known duplicates, and with namesakes and near-namesakes that are none."""
    hamlets, known, number = [], set(), 0
    for _ in range(10):
        families, there = names.families(random), []
        for place in range(150):
            number += 1
            lane = random.choice(("", *names.LANES))
            house = str(random.randint(1, 99)) if lane and random.random() < 0.3 else ""
            there.append(at(number, names.person(random, families), house, lane, (place + 1) * 10))
        for one in random.sample(there, 14):
            number += 1
            way = random.choice(list(WAYS.values()))
            lane = random.choice((one.lane, one.lane, ""))
            order = one.order + random.randint(-20, 20) if random.random() < 0.8 else 1500 + number % 100
            there.append(at(number, way(one.name), random.choice((one.house, "")), lane, order))
            known.add(frozenset({one.id, there[-1].id}))
        hamlets.append(there)
    return hamlets, known


def test_precision_and_recall_on_a_list_with_known_duplicates() -> None:
    random = Random(799)
    hamlets, known = commune(random)
    offered = {frozenset({pair.one.id, pair.other.id}) for there in hamlets for pair in pairs(there)}
    right = len(offered & known)
    precision, recall = right / len(offered), right / len(known)
    print(f"\nprecision {precision:.3f}, recall {recall:.3f} of {len(known)} in {sum(map(len, hamlets))}")
    assert recall >= 0.88
    assert precision >= 0.85
