/** Where in the app a person is, as the fragment of the address: Android's back button then works by itself. */

export type Route =
  | { readonly at: "home" }
  | { readonly at: "sync" }
  | { readonly at: "settings" }
  | { readonly at: "hamlet"; readonly hamlet: string }
  | { readonly at: "add"; readonly hamlet: string }
  | { readonly at: "meeting"; readonly hamlet: string }
  | { readonly at: "household"; readonly hamlet: string; readonly household: string }
  | { readonly at: "edit"; readonly hamlet: string; readonly household: string }
  | { readonly at: "sign"; readonly hamlet: string; readonly household: string; readonly step: number };

/** Reads `#/…`; what it does not know is home. */
export function parse(hash: string): Route {
  const [first = "", hamlet = "", third = "", fourth = "", step = ""] = hash.replace(/^#\/?/, "").split("/");
  if (first === "sync" || first === "settings") return { at: first };
  if (first !== "h" || !/^[a-z0-9]{2,20}$/.test(hamlet)) return { at: "home" };
  if (third === "") return { at: "hamlet", hamlet };
  if (third === "add" || third === "meeting") return { at: third, hamlet };
  const household = third;
  if (fourth === "edit") return { at: "edit", hamlet, household };
  if (fourth === "sign") return { at: "sign", hamlet, household, step: Number(step) || 0 };
  return { at: "household", hamlet, household };
}

/** Writes what `parse` reads. */
export function print(route: Route): string {
  switch (route.at) {
    case "home":
      return "#/";
    case "sync":
    case "settings":
      return `#/${route.at}`;
    case "hamlet":
      return `#/h/${route.hamlet}`;
    case "add":
    case "meeting":
      return `#/h/${route.hamlet}/${route.at}`;
    case "household":
      return `#/h/${route.hamlet}/${route.household}`;
    case "edit":
      return `#/h/${route.hamlet}/${route.household}/edit`;
    case "sign":
      return `#/h/${route.hamlet}/${route.household}/sign/${route.step}`;
  }
}

/** One level up: what "back" means where nothing stands behind. */
export function parent(route: Route): Route {
  switch (route.at) {
    case "home":
    case "sync":
    case "settings":
    case "hamlet":
      return { at: "home" };
    case "add":
    case "meeting":
    case "household":
      return { at: "hamlet", hamlet: route.hamlet };
    case "edit":
    case "sign":
      return { at: "household", hamlet: route.hamlet, household: route.household };
  }
}
