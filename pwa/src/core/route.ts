/** Where in the app a person is, as the fragment of the address: Android's back button then works by itself. */

export type Route =
  | { readonly at: "home" }
  | { readonly at: "sync" }
  | { readonly at: "courier" }
  /** QR codes: of records, of receipts, and the camera that reads either. */
  | { readonly at: "show" | "show-receipts" | "scan" }
  | { readonly at: "settings" }
  | { readonly at: "bulletins" }
  | { readonly at: "hamlet"; readonly hamlet: string }
  | { readonly at: "add"; readonly hamlet: string }
  | { readonly at: "meeting"; readonly hamlet: string }
  | { readonly at: "household"; readonly hamlet: string; readonly household: string }
  | { readonly at: "edit"; readonly hamlet: string; readonly household: string }
  | { readonly at: "sign"; readonly hamlet: string; readonly household: string; readonly step: number }
  | Register;

/** The screens that are loaded when they are first opened. */
export type Register =
  | { readonly at: "models" | "units" | "add-unit" | "outreach" | "add-outreach"; readonly hamlet: string }
  | {
      readonly at: "model" | "unit" | "edit-unit" | "inspection" | "edit-outreach";
      readonly hamlet: string;
      readonly id: string;
    }
  /** An inspection is corrected. */
  | { readonly at: "correct"; readonly hamlet: string; readonly id: string }
  | { readonly at: "sign-unit"; readonly hamlet: string; readonly id: string; readonly step: number }
  /** An entry of a pledge is corrected. */
  | {
      readonly at: "amend";
      readonly hamlet: string;
      readonly of: "household" | "unit";
      readonly id: string;
    }
  /** A new inspection of a model or a unit, by a checklist. */
  | {
      readonly at: "inspect";
      readonly hamlet: string;
      readonly of: "model" | "unit";
      readonly id: string;
      readonly slug: string;
    };

/** Reads `#/…`; what it does not know is home. */
export function parse(hash: string): Route {
  const [first = "", hamlet = "", third = "", fourth = "", step = "", last = ""] = hash
    .replace(/^#\/?/, "")
    .split("/");
  if (isAlone(first)) return { at: first };
  if (first !== "h" || !/^[a-z0-9]{2,20}$/.test(hamlet)) return { at: "home" };
  if (third === "") return { at: "hamlet", hamlet };
  if (third === "add" || third === "meeting") return { at: third, hamlet };
  const register = parseRegister(hamlet, third, fourth, step, last);
  if (register) return register;
  const household = third;
  if (fourth === "edit") return { at: "edit", hamlet, household };
  if (fourth === "amend") return { at: "amend", hamlet, of: "household", id: household };
  if (fourth === "sign") return { at: "sign", hamlet, household, step: Number(step) || 0 };
  return { at: "household", hamlet, household };
}

/** Places that are of no hamlet, and of no other address than their name. */
const ALONE = ["sync", "settings", "bulletins", "courier", "show", "show-receipts", "scan"] as const;
const isAlone = (name: string): name is (typeof ALONE)[number] => (ALONE as readonly string[]).includes(name);

function parseRegister(
  hamlet: string,
  list: string,
  id: string,
  action: string,
  last: string,
): Register | null {
  switch (list) {
    case "models":
    case "units": {
      const of = list === "models" ? "model" : "unit";
      if (id === "") return { at: list, hamlet };
      if (action === "inspect") return { at: "inspect", hamlet, of, id, slug: last };
      if (of === "model") return { at: of, hamlet, id };
      if (id === "add") return { at: "add-unit", hamlet };
      if (action === "edit") return { at: "edit-unit", hamlet, id };
      if (action === "amend") return { at: "amend", hamlet, of, id };
      if (action === "sign") return { at: "sign-unit", hamlet, id, step: Number(last) || 0 };
      return { at: of, hamlet, id };
    }
    case "inspections":
      return { at: action === "edit" ? "correct" : "inspection", hamlet, id };
    case "outreach":
      if (id === "") return { at: list, hamlet };
      return id === "add" ? { at: "add-outreach", hamlet } : { at: "edit-outreach", hamlet, id };
    default:
      return null;
  }
}

/** Writes what `parse` reads. */
export function print(route: Route): string {
  if (route.at === "home") return "#/";
  if (!("hamlet" in route)) return `#/${route.at}`;
  return `#/h/${route.hamlet}${within(route)}`;
}

type InHamlet = Extract<Route, { readonly hamlet: string }>;

function within(route: InHamlet): string {
  switch (route.at) {
    case "hamlet":
      return "";
    case "add":
    case "meeting":
    case "models":
    case "units":
    case "outreach":
      return `/${route.at}`;
    case "household":
      return `/${route.household}`;
    case "edit":
      return `/${route.household}/edit`;
    case "sign":
      return `/${route.household}/sign/${route.step}`;
    case "model":
    case "unit":
    case "inspection":
      return `/${route.at}s/${route.id}`;
    case "inspect":
      return `/${route.of}s/${route.id}/inspect/${route.slug}`;
    case "correct":
      return `/inspections/${route.id}/edit`;
    case "amend":
      return route.of === "unit" ? `/units/${route.id}/amend` : `/${route.id}/amend`;
    case "add-unit":
      return "/units/add";
    case "edit-unit":
      return `/units/${route.id}/edit`;
    case "sign-unit":
      return `/units/${route.id}/sign/${route.step}`;
    case "add-outreach":
      return "/outreach/add";
    case "edit-outreach":
      return `/outreach/${route.id}`;
  }
}

/** One level up: what "back" means where nothing stands behind. */
export function parent(route: Route): Route {
  if (route.at === "courier") return { at: "sync" };
  if (route.at === "show" || route.at === "show-receipts" || route.at === "scan") return { at: "courier" };
  if (!("hamlet" in route) || route.at === "hamlet") return { at: "home" };
  const { hamlet } = route;
  switch (route.at) {
    case "edit":
    case "sign":
      return { at: "household", hamlet, household: route.household };
    case "model":
      return { at: "models", hamlet };
    case "unit":
    case "add-unit":
      return { at: "units", hamlet };
    case "edit-unit":
    case "sign-unit":
      return { at: "unit", hamlet, id: route.id };
    case "inspect":
      return { at: route.of, hamlet, id: route.id };
    case "amend":
      return ofRecord(route.of, hamlet, route.id);
    case "correct":
      return { at: "inspection", hamlet, id: route.id };
    case "add-outreach":
    case "edit-outreach":
      return { at: "outreach", hamlet };
    default:
      return { at: "hamlet", hamlet };
  }
}

/** Where a record is looked at, or corrected. */
export function ofRecord(
  kind: "household" | "unit" | "inspection" | "outreach",
  hamlet: string,
  id: string,
): Route {
  if (kind === "household") return { at: kind, hamlet, household: id };
  if (kind === "outreach") return { at: "edit-outreach", hamlet, id };
  return { at: kind, hamlet, id };
}
