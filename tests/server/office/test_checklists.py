"""The form of a checklist: nothing is lost on the way through it, flaws are told in words, versions grow."""

import re
from html import unescape
from typing import Any

import pytest

from server.checklists import library
from server.office.checklist_draft import Draft, Item, Section, changed, content_of, draft_of, typed, wrongs
from server.office.checklists import condition_in_words, slug_of
from server.rows import registers
from server.rows.engine import readers, table
from server.words import words
from tests.server.office.season import CHECKLIST, furnish
from tests.server.office.village import Browser, Village

EDIT = "/office/checklists/ban-thu/edit"
COMPOUND = {"all": [{"item": "bell", "equals": True}, {"not": {"item": "bell", "equals": False}}]}


def fields(page: str) -> dict[str, str]:
    """A form as the page fills it in, buttons left out."""
    found: dict[str, str] = {}
    for tag in re.findall(r"<input [^>]+>", page):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and ('type="checkbox"' not in tag or "checked" in tag):
            found[name[1]] = unescape(value[1]) if value else ""
    for name_, options in re.findall(r'<select [^>]*name="([^"]+)"[^>]*>(.*?)</select>', page, re.S):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name_] = chosen[1] if chosen else ""
    for name_, text in re.findall(r'<textarea [^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', page, re.S):
        found[name_] = unescape(text)
    found.pop("csrf", None)
    return found


async def opened(browser: Browser, path: str = EDIT) -> dict[str, str]:
    return fields((await browser.get(path)).text)


def versions(made: Village) -> list[tuple[str, int]]:
    rows = table(registers.ChecklistRow)
    with readers(made.parts.rows).begin() as connection:
        return sorted((row.slug, row.version) for row in connection.execute(rows.select()))


@pytest.fixture
async def season(made: Village) -> Village:
    await furnish(made)
    return made


@pytest.mark.parametrize(("name", "content"), library.documents().items())
def test_a_shipped_checklist_comes_out_of_the_form_as_it_went_in(name: str, content: dict[str, Any]) -> None:
    del name
    made = content_of(draft_of(content))
    assert _by_ids(made) == _by_ids(content)
    assert wrongs(made) == []


def _by_ids(content: dict[str, Any]) -> dict[str, Any]:
    """`good` of one option may be written in two ways: as `equals` and as `one_of`."""
    for section in content["sections"]:
        for item in section["items"]:
            if isinstance(item.get("good", {}).get("equals"), str):
                item["good"] = {"one_of": [item["good"]["equals"]]}
    return content


def test_a_condition_of_several_tests_is_kept_as_it_is() -> None:
    bell, fault = CHECKLIST["sections"][0]["items"]
    content = {
        **CHECKLIST,
        "sections": [{"id": "one", "title": "Một", "items": [bell, {**fault, "when": COMPOUND}]}],
    }
    assert content_of(draft_of(content)) == content
    said = condition_in_words(COMPOUND, {"bell": bell}, words("vi"))
    assert said == "“Chuông kêu” là có và không phải (“Chuông kêu” là không)"


def test_an_edited_label_keeps_the_ids_of_items_and_of_the_other_options() -> None:
    old = Item(
        id="kit", kind="multi", label="Trang bị", source="x", options="Đèn\n* Dây", ids='{"Đèn": "torch"}'
    )
    draft = Draft("Bản", "other", "x", (Section("s", "Một", (old,)),))
    (item,) = content_of(draft)["sections"][0]["items"]
    assert item["id"] == "kit"
    assert item["options"] == [{"id": "torch", "label": "Đèn"}, {"id": "day", "label": "Dây"}]
    assert item["good"] == {"one_of": ["day"]}


WRONG: list[tuple[str, dict[str, str], str]] = [
    ("no question", {"label": ""}, "label"),
    ("no source", {"source": ""}, "source"),
    ("a number without a range", {"kind": "number", "unit": "hộ", "min": "", "max": "9"}, "min"),
    ("points that are no number", {"good": "yes", "points": "hai"}, "points"),
    ("one option", {"kind": "choice", "options": "Đèn"}, "options"),
    ("points without a good answer", {"points": "2"}, "rule.checklist.points_without_good"),
    (
        "a range that is empty",
        {"kind": "number", "unit": "hộ", "min": "9", "max": "1"},
        "rule.checklist.empty_range",
    ),
    ("a condition on itself", {"when_item": "bell", "when_test": "is_yes"}, "rule.checklist.looks_ahead"),
    (
        "a condition without a number",
        {"when_item": "bell", "when_test": "at_least", "when_value": "x"},
        "when",
    ),
]


@pytest.mark.parametrize(("item", "part"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_what_is_wrong_is_told_by_item_and_part(item: dict[str, str], part: str) -> None:
    fine = {"id": "bell", "label": "Chuông", "source": "x"}
    draft = Draft("Bản", "other", "x", (Section("s", "Một", (Item(**{**fine, **item}),)),))
    found = wrongs(content_of(draft))
    assert part in {one.part or one.key for one in found}


def test_buttons_add_and_move_and_harm_nothing() -> None:
    draft = draft_of(CHECKLIST)
    assert len(changed(draft, "section", "").sections) == 2
    assert [item.kind for item in changed(draft, "item:0", "photo").sections[0].items] == [
        "yes_no",
        "text",
        "photo",
    ]
    assert [item.id for item in changed(draft, "up:0:1", "").sections[0].items] == ["fault", "bell"]
    for deed in ("", "up:0:0", "up:9:1", "item:9", "item:x", "section:1", "drop:0"):
        assert changed(draft, deed, "yes_no") == draft


def test_a_form_that_lies_about_its_length_is_read_to_the_limit() -> None:
    said = {"sections": "999", "s0-items": "-1", "title": "x"}
    assert len(typed(lambda name: said.get(name, "")).sections) == 20
    assert typed(lambda name: "").sections == ()


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Tổ liên gia", "to-lien-gia"),
        ("Đường!", "duong"),
        ("new", "new-2"),
        ("", "danh-muc"),
        ("Bản thử", "ban-thu-2"),
    ],
)
def test_a_new_checklist_gets_a_slug_of_its_own(title: str, slug: str) -> None:
    assert slug_of(title, {"ban-thu"}) == slug


async def test_a_preview_writes_nothing_and_publishing_makes_the_next_version(season: Village) -> None:
    async with season.signed_in("admin") as browser:
        form = {**await opened(browser), "s0-0-label": "Chuông còn kêu"}
        preview = await browser.post(EDIT, {**form, "do": "preview"})
        assert preview.status_code == 200
        assert "Ban hành phiên bản 2" in preview.text
        assert versions(season) == [("ban-thu", 1)]
        page = (await browser.send(EDIT, {**fields(preview.text), "do": "publish"})).text
        assert "Chuông còn kêu" in page
        assert "Chuông còn kêu" not in (await browser.get("/office/checklists/ban-thu?version=1")).text
        stale = await browser.post(EDIT, {**form, "title": "Tên khác", "do": "publish"})
        assert stale.status_code == 409
    assert versions(season) == [("ban-thu", 1), ("ban-thu", 2)]


async def test_an_item_is_added_by_a_button_and_a_flaw_is_told_in_words(season: Village) -> None:
    async with season.signed_in("admin") as browser:
        page = await browser.post(EDIT, {**await opened(browser), "do": "item:0", "kind-0": "number"})
        form = fields(page.text)
        assert form["s0-2-kind"] == "number"
        said = {
            "s0-2-label": "Số hộ",
            "s0-2-source": "thử",
            "s0-2-unit": "hộ",
            "s0-2-min": "9",
            "s0-2-max": "1",
        }
        answer = await browser.post(EDIT, {**form, **said, "do": "publish"})
    assert answer.status_code == 422
    assert "Mục “Số hộ” có số nhỏ nhất lớn hơn số lớn nhất." in answer.text
    assert versions(season) == [("ban-thu", 1)]


async def test_a_form_that_changes_nothing_makes_no_version(season: Village) -> None:
    async with season.signed_in("admin") as browser:
        page = await browser.send(EDIT, {**await opened(browser), "do": "publish"})
    assert "Không có gì thay đổi." in page.text
    assert versions(season) == [("ban-thu", 1)]


async def test_a_new_checklist_begins_with_version_one(season: Village) -> None:
    path = "/office/checklists/new"
    async with season.signed_in("admin") as browser:
        said = {
            "title": "Đèn đường",
            "source": "thử",
            "s0-title": "Một",
            "s0-0-label": "Sáng",
            "s0-0-source": "thử",
        }
        page = await browser.send(path, {**await opened(browser, path), **said, "do": "publish"})
    assert "Đèn đường, phiên bản 1" in page.text
    assert versions(season) == [("ban-thu", 1), ("den-duong", 1)]


async def test_the_shipped_ones_are_added_once(season: Village) -> None:
    async with season.signed_in("admin") as browser:
        assert "Có 7 danh mục mẫu" in (await browser.get("/office/checklists")).text
        page = await browser.send("/office/checklists/library")
        assert "Thêm danh mục mẫu" not in page.text
        again = await browser.send("/office/checklists/library")
        assert "Không có gì thay đổi." in again.text
    assert len(versions(season)) == 8


async def test_a_reviewer_reads_checklists_and_edits_none(season: Village) -> None:
    async with season.signed_in("reviewer") as browser:
        assert "Sửa thành phiên bản mới" not in (await browser.get("/office/checklists/ban-thu")).text
        assert (await browser.get(EDIT)).status_code == 403
        assert (await browser.get("/office/checklists/nothing")).status_code == 404
        assert (await browser.get("/office/checklists/ban-thu?version=9")).status_code == 404
