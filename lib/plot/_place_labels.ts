/** A point in pixels from the upper left corner, and its label. */
export interface LabelledPoint {
  /** To the right. */
  readonly x: number;
  /** Down. */
  readonly y: number;
  /** Text of one line. */
  readonly label: string;
}

/** Where a label goes. */
export interface LabelPlace {
  /** The end of its text that is next to the point. */
  readonly x: number;
  /** The middle of its height. */
  readonly y: number;
  /** Which end that is: labels to the right of their points are aligned left. */
  readonly align: "left" | "right";
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly middle: number;
}

/** Height of a line at 11 pixels, and the mean width of a character of it. */
const LINE_PIXELS = 14;
const CHARACTER_PIXELS = 5.7;

/** Radius that is kept free around a point, and the gaps between it and its label. */
const POINT_PIXELS = 5;
const GAP_PIXELS = 8;
const RISE_PIXELS = 9;

/**
 * Places labels so that none covers another label or a point, each as near to its point as those
 * before it allow: just above or below or some lines away, to the right or, failing that, the left.
 * Where nothing is free a label stays next to its point.
 *
 * @param points In order of who chooses first.
 * @param size Of the chart in pixels; labels stay inside.
 */
export function placeLabels(
  points: readonly LabelledPoint[],
  { width, height }: { readonly width: number; readonly height: number },
): LabelPlace[] {
  const taken: Box[] = points.map(({ x, y }) => ({
    left: x - POINT_PIXELS,
    right: x + POINT_PIXELS,
    middle: y,
  }));
  const isFree = (box: Box): boolean =>
    box.left >= 0 && box.right <= width &&
    box.middle >= LINE_PIXELS / 2 && box.middle <= height - LINE_PIXELS / 2 &&
    !taken.some((other) => overlaps(box, other));
  return points.map((point) => {
    const places = candidatesOf(point, height);
    const { box, place } = places.find(({ box }) => isFree(box)) ?? places[0]!;
    taken.push(box);
    return place;
  });
}

/** All places of a label, the nearest first. */
function candidatesOf(
  { x, y, label }: LabelledPoint,
  height: number,
): { readonly box: Box; readonly place: LabelPlace }[] {
  const textWidth = CHARACTER_PIXELS * label.length;
  const right = x + GAP_PIXELS;
  const left = x - GAP_PIXELS;
  return Array.from({ length: Math.ceil(height / LINE_PIXELS) }, (_, line) => line)
    .map((line) => RISE_PIXELS + line * LINE_PIXELS)
    .flatMap((rise) => [y - rise, y + rise])
    .flatMap((middle) => [
      {
        box: { left: right, right: right + textWidth, middle },
        place: { x: right, y: middle, align: "left" },
      },
      {
        box: { left: left - textWidth, right: left, middle },
        place: { x: left, y: middle, align: "right" },
      },
    ]);
}

function overlaps(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && Math.abs(a.middle - b.middle) < LINE_PIXELS - 1;
}
