"""A desk in the office: the staff pages in a desktop browser, in the words of who sits there."""

import re

from playwright.sync_api import Browser, Locator, Page, expect

PASSWORD = "mot-hai-ba-bon-nam"


class Office:
    """One browser at one desk."""

    def __init__(self, browser: Browser, url: str, *, width: int = 1280, height: int = 900) -> None:
        self.url = url
        self.complaints: list[str] = []
        phone = width < 600
        self.context = browser.new_context(
            viewport={"width": width, "height": height},
            has_touch=phone,
            is_mobile=phone,
            locale="vi-VN",
            timezone_id="Asia/Ho_Chi_Minh",
        )
        self.context.set_default_timeout(20_000)
        self.page: Page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda said: self.complaints.append(said.text))

    def press(self, name: str | re.Pattern[str]) -> None:
        """Press the button of that name."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def follows(self, name: str | re.Pattern[str]) -> None:
        """Follow the link of that name."""
        self.page.get_by_role("link", name=name, exact=True).first.click()

    def sees(self, text: str | re.Pattern[str]) -> None:
        """Wait until the text stands on the page."""
        expect(self.page.get_by_text(text).filter(visible=True).first).to_be_visible()

    def ticks(self, *names: str) -> None:
        """Tick the boxes of these names."""
        for name in names:
            self.page.get_by_role("checkbox", name=name, exact=True).check()

    # --- coming in

    def sets_first_password(self, link: str) -> None:
        """The one-time link that the first start prints."""
        self.page.goto(link)
        self.page.get_by_label("Mật khẩu mới").fill(PASSWORD)
        self.page.get_by_label("Gõ lại mật khẩu").fill(PASSWORD)
        self.press("Đặt mật khẩu")
        self.sees("Đã đặt mật khẩu")

    def signs_in(self, login: str, password: str = PASSWORD) -> None:
        """Sign in; the staff of tests share one password."""
        self.page.goto(f"{self.url}/office/login")
        self.page.get_by_label("Tên đăng nhập").fill(login)
        self.page.get_by_label("Mật khẩu").fill(password)
        self.press("Đăng nhập")
        expect(self.page).to_have_url(f"{self.url}/office")

    # --- lists and people

    def imports(self, filename: str, data: bytes) -> None:
        """Hand in a list as far as the preview; nothing is written yet."""
        self.page.goto(f"{self.url}/office/import")
        self.page.get_by_label("Tệp danh sách").set_input_files(
            {"name": filename, "mimeType": "application/octet-stream", "buffer": data}
        )
        self.press("Xem trước")
        expect(self.page.get_by_role("heading", level=1)).to_have_text("Xem trước danh sách nhập")

    def confirms_import(self, households: int) -> None:
        """Agree to what the preview shows."""
        self.press(f"Ghi {households} hộ mới")
        expect(self.page).to_have_url(f"{self.url}/office")

    def adds_volunteer(self, name: str, hamlets: list[str]) -> None:
        """Add a volunteer who walks these hamlets; ends on the person's page."""
        self.page.goto(f"{self.url}/office/people/new")
        self.page.get_by_label("Họ và tên").fill(name)
        self.page.get_by_label("Vai trò").select_option(label="Tình nguyện viên")
        for hamlet in hamlets:
            self.page.get_by_label(hamlet).check()
        self.press("Thêm")
        expect(self.page.get_by_role("heading", level=1)).to_have_text(name)

    def invites(self, name: str) -> str:
        """Invite a phone of that person; the link of the slip."""
        self.opens_person(name)
        self.press("Mời một điện thoại")
        return self.page.get_by_text(re.compile(r"/join#")).inner_text().strip()

    def opens_person(self, name: str) -> None:
        """A person's page."""
        self.page.goto(f"{self.url}/office/people")
        self.follows(name)
        expect(self.page.get_by_role("heading", level=1)).to_have_text(name)

    def revokes_phone(self, name: str) -> None:
        """Take away the phone of a person, whose only one it is."""
        self.opens_person(name)
        self.page.get_by_text("Thu hồi máy", exact=True).click()
        self.press("Thu hồi máy này")
        self.sees("Đã thu hồi máy.")

    # --- looking

    def coverage(self, hamlet: str) -> dict[str, str]:
        """What the table of coverage says of a hamlet, by column."""
        self.page.goto(f"{self.url}/office")
        row = self.page.get_by_role("row").filter(has_text=hamlet)
        heads = self.page.get_by_role("columnheader").all_inner_texts()[1:]
        return dict(zip(heads, map(str.strip, row.get_by_role("cell").all_inner_texts()), strict=True))

    def opens_household(self, name: str) -> None:
        """Find a household by its head's name and open its record."""
        self.page.goto(f"{self.url}/office")
        self.page.get_by_label("Tìm hộ").fill(name)
        self.press("Tìm")
        self.follows(name)
        expect(self.page.get_by_role("heading", level=1)).to_have_text(f"Hộ {name}")

    def pledge(self) -> Locator:
        """The acts of the open record."""
        return self.page.get_by_role("region", name="Bản cam kết")

    def history(self) -> Locator:
        """The history of the open record."""
        return self.page.get_by_role("region", name="Lịch sử")

    def closes(self) -> None:
        """Leave the desk."""
        self.context.close()
