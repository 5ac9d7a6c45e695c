/**
 * What most days need nothing of, loaded when it is first asked for: photographs, and carrying for others. One module,
 * and so one chunk: each way in of its own would cut the first load into more, and smaller, pieces.
 */
export * as courier from "./courier.ts";
export * as photos from "./photos.ts";
export * as upload from "./upload.ts";
