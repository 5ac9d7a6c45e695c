import assert from "node:assert/strict";
import test from "node:test";
import { byName, fold, matches } from "../src/core/names.ts";

test("a search ignores diacritics, đ, case, doubled spaces and the form of Unicode", () => {
  const table: [name: string, typed: string, found: boolean][] = [
    ["Hoàng Văn Đặng", "dang", true],
    ["Hoàng Văn Đặng", "ĐẶNG", true],
    ["Hoàng Văn Đặng", "  hoang   d ", true],
    ["Hoàng Văn Đặng", "van hoang", true],
    ["Hoàng Văn Đặng".normalize("NFD"), "đặng", true],
    ["Nông Thị Hường", "huong".normalize("NFD"), true],
    ["Nông Thị Hường", "thi ong", false],
    ["Nông Thị Hường", "", true],
    ["Số 12/3, ngõ Kéo Tào", "12", true],
    ["Số 12/3, ngõ Kéo Tào", "3 tao", true],
    ["Số 12/3, ngõ Kéo Tào", "13", false],
  ];
  for (const [name, typed, found] of table)
    assert.equal(matches(fold(name), typed), found, `${name}: ${typed}`);
});

test("names stand by the given name, then the rest, in the Vietnamese alphabet and order of tones", () => {
  const ordered = [
    "Lý Văn An",
    "Triệu Thị Ân",
    "Hoàng Văn Dũng",
    "Nông Văn Đạt",
    "Hoàng Thị Hoa",
    "Hoàng Thị Hòa",
    "Hoàng Thị Hỏa",
    "Hoàng Thị Hõa",
    "Hoàng Thị Hóa",
    "Hoàng Thị Họa",
    "Đặng Văn Minh",
    "Nguyễn Văn Minh",
    "Vi Văn Ư",
    "Lô Thị Vy",
  ];
  assert.deepEqual([...ordered].reverse().sort(byName), ordered);
});
