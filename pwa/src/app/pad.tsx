/** The frame that a person signs in with a thumb. */
import { useEffect, useRef } from "preact/hooks";
import type { Strokes } from "../core/documents.ts";
import { inked, type Point } from "../core/ink.ts";
import { useApp } from "./context.ts";
import { Button } from "./parts.tsx";

const RATIO = 2;

export function Pad({ onInk }: { readonly onInk: (strokes: Strokes) => void }) {
  const { say } = useApp();
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawn = useRef<Point[][]>([]);
  const pointer = useRef<number | null>(null);

  useEffect(() => {
    const frame = canvas.current;
    if (!frame) return;
    frame.width = frame.clientWidth * RATIO;
    frame.height = frame.clientHeight * RATIO;
  }, []);

  const at = (event: PointerEvent): Point => [event.offsetX, event.offsetY];
  const line = (from: Point, to: Point) => {
    const brush = canvas.current?.getContext("2d");
    if (!brush) return;
    brush.lineWidth = 3 * RATIO;
    brush.lineCap = "round";
    brush.beginPath();
    brush.moveTo(from[0] * RATIO, from[1] * RATIO);
    brush.lineTo(to[0] * RATIO, to[1] * RATIO);
    brush.stroke();
  };
  const down = (event: PointerEvent) => {
    if (pointer.current !== null) return; // a palm on the glass is no second hand
    pointer.current = event.pointerId;
    canvas.current?.setPointerCapture(event.pointerId);
    drawn.current.push([at(event)]);
    line(at(event), at(event));
  };
  const move = (event: PointerEvent) => {
    const stroke = drawn.current[drawn.current.length - 1];
    const last = stroke?.[stroke.length - 1];
    if (event.pointerId !== pointer.current || !stroke || !last) return;
    line(last, at(event));
    stroke.push(at(event));
  };
  const up = (event: PointerEvent) => {
    const frame = canvas.current;
    if (event.pointerId !== pointer.current || !frame) return;
    pointer.current = null;
    onInk(inked(drawn.current, frame.clientWidth, frame.clientHeight));
  };
  const clear = () => {
    const frame = canvas.current;
    frame?.getContext("2d")?.clearRect(0, 0, frame.width, frame.height);
    drawn.current = [];
    onInk([]);
  };
  return (
    <div class="pad">
      <p id="pad-label">{say("pledge.pad")}</p>
      <canvas
        ref={canvas}
        role="img"
        aria-labelledby="pad-label"
        onPointerDown={down}
        onPointerMove={move}
        onPointerUp={up}
        onPointerCancel={up}
      />
      <Button onClick={clear}>{say("pledge.pad.clear")}</Button>
    </div>
  );
}
