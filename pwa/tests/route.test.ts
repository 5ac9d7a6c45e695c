import assert from "node:assert/strict";
import test from "node:test";
import { parent, parse, print, type Route } from "../src/core/route.ts";

const HOUSEHOLD = "01J8ZQ4T6N3VXK2M5R7W9Y1001";
const ROUTES: readonly Route[] = [
  { at: "home" },
  { at: "sync" },
  { at: "settings" },
  { at: "courier" },
  { at: "show" },
  { at: "show-receipts" },
  { at: "scan" },
  { at: "hamlet", hamlet: "khuoi" },
  { at: "add", hamlet: "khuoi" },
  { at: "meeting", hamlet: "khuoi" },
  { at: "household", hamlet: "khuoi", household: HOUSEHOLD },
  { at: "edit", hamlet: "khuoi", household: HOUSEHOLD },
  { at: "sign", hamlet: "khuoi", household: HOUSEHOLD, step: 3 },
  { at: "bulletins" },
  { at: "models", hamlet: "khuoi" },
  { at: "model", hamlet: "khuoi", id: HOUSEHOLD },
  { at: "inspect", hamlet: "khuoi", of: "model", id: HOUSEHOLD, slug: "to-lien-gia" },
  { at: "inspect", hamlet: "khuoi", of: "unit", id: HOUSEHOLD, slug: "cong-truong" },
  { at: "inspection", hamlet: "khuoi", id: HOUSEHOLD },
  { at: "correct", hamlet: "khuoi", id: HOUSEHOLD },
  { at: "amend", of: "household", hamlet: "khuoi", id: HOUSEHOLD },
  { at: "amend", of: "unit", hamlet: "khuoi", id: HOUSEHOLD },
  { at: "units", hamlet: "khuoi" },
  { at: "unit", hamlet: "khuoi", id: HOUSEHOLD },
  { at: "add-unit", hamlet: "khuoi" },
  { at: "edit-unit", hamlet: "khuoi", id: HOUSEHOLD },
  { at: "sign-unit", hamlet: "khuoi", id: HOUSEHOLD, step: 2 },
  { at: "outreach", hamlet: "khuoi" },
  { at: "add-outreach", hamlet: "khuoi" },
  { at: "edit-outreach", hamlet: "khuoi", id: HOUSEHOLD },
];

test("every place in the app has an address of its own that leads back to it", () => {
  for (const route of ROUTES) assert.deepEqual(parse(print(route)), route);
  assert.equal(new Set(ROUTES.map(print)).size, ROUTES.length);
});

test("an address that the app does not know is home", () => {
  for (const hash of ["", "#", "#/", "#/nowhere", "#/h", "#/h/", "#/h/Khuổi", "#/h/../..", "#8CM895KEXG"])
    assert.deepEqual(parse(hash), { at: "home" }, hash);
});

test("from anywhere, going up ends at home", () => {
  for (const route of ROUTES) {
    let at = route;
    for (let steps = 0; at.at !== "home"; steps++) {
      assert.ok(steps < 4, print(route));
      at = parent(at);
    }
  }
});
