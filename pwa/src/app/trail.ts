/**
 * Which addresses of the app stand behind this one. The browser does not tell, so each entry of its history says it;
 * a reload, and Android's "recent apps", keep that. By it a form that took four steps leaves in one.
 */
import { parent, parse, print, type Route } from "../core/route.ts";

interface Stop {
  /** Fragments, oldest first. */
  readonly behind: readonly string[];
}

const MOST = 50;
const here = () => location.hash || "#/";
let at = { hash: here(), behind: (history.state as Stop | null)?.behind ?? [] };

/** Begins to follow, once, when the app starts. */
export function follow(): void {
  if (!history.state) mark([]);
  addEventListener("hashchange", () => {
    const known = history.state as Stop | null;
    const behind = known ? known.behind : [...at.behind, at.hash].slice(-MOST);
    if (!known) mark(behind);
    at = { hash: here(), behind };
  });
}

function mark(behind: readonly string[]): void {
  history.replaceState({ behind } satisfies Stop, "");
}

/** Back to where the person came from; where nothing stands behind (an address opened as such), one level up. */
export function back(): void {
  if (at.behind.length > 0) history.back();
  else replace(parent(parse(at.hash)));
}

/** Back to a place that was passed on the way here, however many steps ago; else there, in place of this one. */
export function backTo(route: Route): void {
  const index = at.behind.lastIndexOf(print(route));
  if (index < 0) replace(route);
  else history.go(index - at.behind.length);
}

function replace(route: Route): void {
  history.replaceState({ behind: at.behind } satisfies Stop, "", print(route));
  dispatchEvent(new HashChangeEvent("hashchange"));
}

/** Onward, so that Android's back button returns. */
export function go(route: Route): void {
  location.hash = print(route);
}
