/** JPEG without what encoders write beside the picture (Safari's canvas adds EXIF and IPTC of its own). Pure. */
import { joined } from "./bytes.ts";
import type { Bytes } from "./env.ts";

const START_OF_SCAN = 0xda;
const JFIF = 0xe0;
const ICC = 0xe2;
const ADOBE = 0xee;
const COMMENT = 0xfe;

/** The same picture without application segments and comments, but for JFIF, colour profile and Adobe's. */
export function plain(jpeg: Bytes): Bytes {
  const kept: Uint8Array[] = [jpeg.subarray(0, 2)];
  let at = 2;
  while (at + 4 <= jpeg.length && jpeg[at] === 0xff && jpeg[at + 1] !== START_OF_SCAN) {
    const marker = jpeg[at + 1] as number;
    const end = at + 2 + (jpeg[at + 2] as number) * 256 + (jpeg[at + 3] as number);
    const application = marker >= JFIF && marker <= 0xef;
    if ((!application && marker !== COMMENT) || [JFIF, ICC, ADOBE].includes(marker))
      kept.push(jpeg.subarray(at, end));
    at = end;
  }
  return joined(...kept, jpeg.subarray(at));
}
