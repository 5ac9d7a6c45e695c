/** The app's icon, drawn here: a house and a tick, as SVG and as PNG, so that no binary file needs keeping. */
import { deflateSync } from "node:zlib";

const GREEN = [0x0b, 0x6b, 0x4f];
const WHITE = [0xff, 0xff, 0xff];

// One shape for both formats, on a grid of 100: a house's outline filled white, and a tick cut out of it.
const HOUSE = [
  [50, 20],
  [82, 47],
  [75, 47],
  [75, 78],
  [25, 78],
  [25, 47],
  [18, 47],
];
const TICK = [
  [38, 57],
  [47, 66],
  [63, 48],
];
const TICK_WIDTH = 7;
const CORNER = 18;

export function svg() {
  const points = (path) => path.map(([x, y]) => `${x},${y}`).join(" ");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100"><rect width="100" height="100" rx="${CORNER}" fill="#0b6b4f"/><polygon points="${points(HOUSE)}" fill="#fff"/><polyline points="${points(TICK)}" fill="none" stroke="#0b6b4f" stroke-width="${TICK_WIDTH}" stroke-linecap="round" stroke-linejoin="round"/></svg>`;
}

/** The icon as a PNG of size × size. A maskable one fills its square: Android cuts its own corners. */
export function png(size, { maskable = false } = {}) {
  const samples = 4;
  const rows = [];
  for (let y = 0; y < size; y++) {
    const row = [0]; // PNG filter 0: none
    for (let x = 0; x < size; x++) row.push(...pixel(x, y, size, samples, maskable));
    rows.push(Buffer.from(row));
  }
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header(size)),
    chunk("IDAT", deflateSync(Buffer.concat(rows), { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function pixel(x, y, size, samples, maskable) {
  let covered = 0;
  const sum = [0, 0, 0];
  for (let i = 0; i < samples * samples; i++) {
    const px = ((x + ((i % samples) + 0.5) / samples) / size) * 100;
    const py = ((y + (Math.floor(i / samples) + 0.5) / samples) / size) * 100;
    if (!maskable && outsideCorner(px, py)) continue;
    covered++;
    const colour = inside(HOUSE, px, py) && !onLine(TICK, px, py) ? WHITE : GREEN;
    for (let c = 0; c < 3; c++) sum[c] += colour[c];
  }
  const alpha = Math.round((covered / (samples * samples)) * 255);
  return covered ? [...sum.map((s) => Math.round(s / covered)), alpha] : [0, 0, 0, 0];
}

function outsideCorner(x, y) {
  const dx = Math.max(CORNER - x, x - (100 - CORNER), 0);
  const dy = Math.max(CORNER - y, y - (100 - CORNER), 0);
  return Math.hypot(dx, dy) > CORNER;
}

function inside(polygon, x, y) {
  let odd = false;
  polygon.forEach(([ax, ay], i) => {
    const [bx, by] = polygon[(i + polygon.length - 1) % polygon.length];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
  });
  return odd;
}

function onLine(points, x, y) {
  return points.slice(1).some(([bx, by], i) => {
    const [ax, ay] = points[i];
    const t = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2);
    const clamped = Math.max(0, Math.min(1, t));
    return Math.hypot(x - ax - clamped * (bx - ax), y - ay - clamped * (by - ay)) <= TICK_WIDTH / 2;
  });
}

function header(size) {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(size, 0);
  data.writeUInt32BE(size, 4);
  data.set([8, 6, 0, 0, 0], 8); // 8 bits, RGBA, deflate, filter 0, not interlaced
  return data;
}

function chunk(kind, data) {
  const body = Buffer.concat([Buffer.from(kind, "latin1"), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
