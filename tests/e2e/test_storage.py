"""Storage trouble as the volunteer sees it: what was not saved is said and stays said; what is gone, too."""

from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.conftest import Village
from tests.e2e.phone import PICTURES

# As a phone without room does it: records are refused, nothing else.
FULL = """
{
  const put = IDBObjectStore.prototype.put;
  IDBObjectStore.prototype.put = function (...what) {
    if (window.full && this.name === 'own') throw new DOMException('no room', 'QuotaExceededError');
    return put.apply(this, what);
  };
  window.full = true;
}
"""
# "Clear site data", or a browser that is short of room.
CLEAR = """
async () => {
  for (const { name } of await indexedDB.databases())
    await new Promise((done) => { indexedDB.deleteDatabase(name).onsuccess = done; });
}
"""


def test_a_save_that_found_no_room_is_said_until_it_is_saved_and_a_cleared_phone_says_what_is_lost(
    village: Village,
) -> None:
    phone = village.phone()
    page = phone.page
    problems: list[str] = []

    def look(name: str) -> None:
        problems.extend(f"{name}: {one}" for one in phone.problems())
        if PICTURES:
            page.screenshot(path=Path(PICTURES) / f"storage-{name}.png")

    page.clock.install()
    phone.walks("Khuoi")
    page.locator("a.row").nth(2).tap()
    page.evaluate(FULL)
    phone.press("Hẹn quay lại")
    phone.sees_news("CHƯA LƯU ĐƯỢC: máy hết chỗ chứa")
    page.clock.fast_forward(60_000)
    phone.sees_news("CHƯA LƯU ĐƯỢC: máy hết chỗ chứa")
    look("full")
    page.evaluate("window.full = false")
    page.context.set_offline(True)
    phone.press("Hẹn quay lại")
    phone.sees_news("Đã lưu trên máy này")

    page.evaluate(CLEAR)
    phone.sees_title("Dữ liệu trên máy đã mất")
    phone.sees("1 phiếu hoặc ảnh chưa về được xã không còn trên máy này. Cần ghi lại.")
    expect(page.locator(".news")).to_be_hidden()
    look("lost")
    page.reload()
    phone.sees_title("Dữ liệu trên máy đã mất")
    page.context.set_offline(False)
    phone.press("Nhập mã mời mới")
    expect(page.get_by_label("Mã mời")).to_have_value("")
    assert problems == []
