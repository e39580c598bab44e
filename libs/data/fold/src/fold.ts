import { TidemarkError } from '@tidemark/ports';

/** How the points of one series within one step become one value; the numbers are those of the wire. */
export const TIME_FOLD = {
  avg: 1,
  sum: 2,
  min: 3,
  max: 4,
  count: 5,
  last: 6,
  increase: 7,
  sketch: 8,
  rate: 9,
  points: 10,
  sketchSum: 11,
  sketchCount: 12,
} as const;
export type TimeFoldName = keyof typeof TIME_FOLD;
export type TimeFold = (typeof TIME_FOLD)[TimeFoldName];

/** How the values of a group's series become one; the numbers are those of the wire. */
export const SPACE_FOLD = { avg: 1, sum: 2, min: 3, max: 4, count: 5, last: 6, sketch: 7 } as const;
export type SpaceFoldName = keyof typeof SPACE_FOLD;
export type SpaceFold = (typeof SPACE_FOLD)[SpaceFoldName];

/** The time fold with this wire number; `invalid_argument` when there is none. */
export function timeFoldOf(value: number): TimeFold {
  if (!isTimeFold(value)) throw new TidemarkError('invalid_argument', `unknown time fold ${value}`, { value });
  return value;
}

/** The space fold with this wire number; `invalid_argument` when there is none. */
export function spaceFoldOf(value: number): SpaceFold {
  if (!isSpaceFold(value)) throw new TidemarkError('invalid_argument', `unknown space fold ${value}`, { value });
  return value;
}

function isTimeFold(value: number): value is TimeFold {
  return Number.isInteger(value) && value >= TIME_FOLD.avg && value <= TIME_FOLD.sketchCount;
}

function isSpaceFold(value: number): value is SpaceFold {
  return Number.isInteger(value) && value >= SPACE_FOLD.avg && value <= SPACE_FOLD.sketch;
}
