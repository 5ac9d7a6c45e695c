/**
 * The screens that load when one of them is first opened (../later.tsx). One module, and so one chunk: a way in for each
 * would cut the first load into more pieces, and smaller ones.
 */
export { AddHousehold, EditHousehold } from "./edit.tsx";
export { Meeting } from "./meeting.tsx";
export { Overruled, Registers } from "./registers/screens.tsx";
export { Scan } from "./scan.tsx";
export { Settings } from "./settings.tsx";
export { Show } from "./show.tsx";
export { Courier, Sync } from "./sync.tsx";
export { Lost, Shut } from "./trouble.tsx";
