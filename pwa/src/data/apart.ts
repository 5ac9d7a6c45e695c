/**
 * What most days need nothing of, loaded when it is first asked for: photographs, carrying for others, a wrong clock,
 * joining, a server without the exchange. One module, and so one chunk: a way in for each would cut the first load into more
 * pieces, and smaller ones.
 */
export * as courier from "./courier.ts";
export * as dismissed from "./dismissed.ts";
export * as erased from "./erased.ts";
export * as farewell from "./farewell.ts";
export * as photos from "./photos.ts";
export * as plain from "./plain.ts";
export * as rejoin from "./rejoin.ts";
export * as shift from "./shift.ts";
export * as upload from "./upload.ts";
