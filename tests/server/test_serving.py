"""`camket serve` and `camket demo` as processes: what they print, and how they end."""

import re
import sqlite3
from pathlib import Path

import httpx
import pytest

from tests.running import Running, camket


def printed(server: Running) -> str:
    return server.log.read_text("utf-8")


def test_the_first_start_prints_the_first_admins_way_in_until_it_was_used(tmp_path: Path) -> None:
    with Running(tmp_path / "data") as server:
        link = re.search(r"http://\S+/office/first\?token=\S+", printed(server))
        assert link is not None
        page = httpx.get(link[0])
        assert page.status_code == 200
        token = link[0].partition("token=")[2]
        form = {"token": token, "password": "một mật khẩu đủ dài", "again": "một mật khẩu đủ dài"}
        csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)
        if csrf:
            form["csrf"] = csrf[1]
        assert httpx.post(f"{server.url}/office/first", data=form).status_code in {200, 303}
        server.stop()
        server.log.write_text("")
        server.start()
        assert "/office/first" not in printed(server)


def test_a_new_commune_has_a_campaign_to_pledge_to(tmp_path: Path) -> None:
    for _ in range(2):
        with Running(tmp_path / "data"):
            pass
    with sqlite3.connect(tmp_path / "data" / "rows.sqlite") as rows:
        assert rows.execute("SELECT state, clauses, notice FROM campaign_row").fetchall() == [("open", 1, 1)]
    rows.close()


@pytest.mark.parametrize("words", [("serve",)])
def test_what_is_written_is_for_the_owner_alone_and_the_log_tells_no_address(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    with Running(tmp_path / "data", words) as server:
        httpx.get(f"{server.url}/office/first?token=guess")
        httpx.post(f"{server.url}/join", content=b"{")
        modes = {path.name: path.stat().st_mode & 0o077 for path in (tmp_path / "data").iterdir()}
    assert set(modes.values()) == {0}
    assert "guess" not in printed(server)
    assert "Traceback" not in printed(server)


def test_the_demo_prints_a_login_for_each_role_and_a_volunteers_way_in(tmp_path: Path) -> None:
    with Running(tmp_path / "demo", ("demo",)) as server:
        text = printed(server)
        logins = re.findall(r"tên đăng nhập (\S+), mật khẩu (\S+)", text) or re.findall(
            r"login (\S+), password (\S+)", text
        )
        assert len(logins) == 3
        code = re.search(r"/join#(\w{5}-\w{5})", text)
        assert code is not None
        asked = {"code": code[1], "device_name": "Samsung"}
        joined = httpx.post(f"{server.url}/join", json=asked).json()
        assert joined["demo"] is True
        assert joined["commune"]
        assert len(joined["dbs"]) >= 2
        assert "demo" in httpx.get(f"{server.url}/office/login").text


def test_a_database_that_does_not_answer_is_said_in_one_line(tmp_path: Path) -> None:
    env = {"CAMKET_DATABASE_URL": "postgresql://camket:geheim@127.0.0.1:1/rows", "LANG": "vi_VN.UTF-8"}
    for command in (("serve", "--port", "0"), ("check",), ("user", "list")):
        done = camket(*command, "--data", str(tmp_path / "data"), env=env, check=False)
        assert done.returncode == 1, command
        assert done.stderr.count("\n") == 1
        assert done.stderr.startswith("Không mở được cơ sở dữ liệu (CAMKET_DATABASE_URL)")
        assert "geheim" not in done.stderr + done.stdout


def test_a_file_of_documents_that_cannot_be_read_is_said_in_one_line(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "documents.sqlite").write_bytes(b"this is no database at all " * 400)
    for command in (("check",), ("engine", "--port", "0")):
        done = camket(*command, "--data", str(data), env={"LANG": "en_US.UTF-8"}, check=False)
        assert done.returncode == 1, command
        assert done.stderr.count("\n") == 1, done.stderr
        assert "documents.sqlite" in done.stderr
