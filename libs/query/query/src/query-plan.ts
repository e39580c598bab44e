import type { StepShape } from '@tidemark/fold';
import { TidemarkError } from '@tidemark/ports';
import {
  type LeafUse,
  type LeafView,
  leafUses,
  printExpression,
  type Query,
  type QueryLeaf,
  readStepsOf,
  type ShapeOf,
} from '@tidemark/query-language';
import { type LeafSteps, leafSteps, shapeOf } from './leaf-steps.ts';
import { type QueryServiceLimits, tooLong } from './query-service-limits.ts';
import { defaultStepMs } from './steps.ts';

export interface LeafRead {
  readonly leaf: QueryLeaf;
  readonly steps: LeafSteps;
}

/** What must be read for a query over a range. query-service.test.ts covers it. */
export interface QueryPlan {
  readonly query: Query;
  readonly rangeMs: number;
  /** The step of leaves that name none, ms. */
  readonly automaticMs: number;
  readonly shapeOf: ShapeOf;
  /** By `readKey`. Equal leaves are read once, with the steps before the range that any of them needs. */
  readonly reads: ReadonlyMap<string, LeafRead>;
  /** The earliest time that is read, ms. */
  readonly readFromMs: number;
}

/** Requests that all leaves may need of a partition; one leaf needs more than one for a calendar only. */
const MAX_SEGMENTS = 512;

/** Throws `invalid_argument` beyond the limits of steps and requests, before anything is read or a value has its memory. */
export function planQuery(
  query: Query,
  fromMs: number,
  toMs: number,
  limits: QueryServiceLimits,
  automaticMs: number = defaultStepMs(toMs - fromMs),
): QueryPlan {
  const shapes = new Map<QueryLeaf, StepShape>();
  const known: ShapeOf = (leaf) => {
    const shape = shapes.get(leaf) ?? shapeOf(leaf, fromMs, toMs, automaticMs);
    shapes.set(leaf, shape);
    return shape;
  };
  const uses = new Map<string, LeafUse>();
  for (const { leaf, view } of leafUses(query, known)) {
    const key = readKey(leaf, view);
    const before = Math.max(view.before, uses.get(key)?.view.before ?? 0);
    uses.set(key, { leaf, view: { ...view, before } });
    checkSteps(limits, known(leaf), before, readStepsOf(leaf));
  }
  const reads = new Map(
    [...uses].map(([key, { leaf, view }]) => [key, { leaf, steps: leafSteps(leaf, fromMs, toMs, view, automaticMs) }]),
  );
  const starts = [...reads.values()].flatMap(({ steps }) => steps.segments.map((segment) => segment.fromMs));
  if (starts.length > MAX_SEGMENTS) {
    throw new TidemarkError(
      'invalid_argument',
      `the calendars of the query take ${starts.length} requests per partition (limit: ${MAX_SEGMENTS}); ask for a shorter range, or for fewer metrics`,
      { field: 'query', limit: MAX_SEGMENTS },
    );
  }
  return { query, rangeMs: toMs - fromMs, automaticMs, shapeOf: known, reads, readFromMs: Math.min(fromMs, ...starts) };
}

/** What two leaves have in common when one read serves both: all but what is done to the finished frame. */
export function readKey(leaf: QueryLeaf, { shifts }: LeafView): string {
  return `${printExpression({ ...leaf, fill: undefined })} ${JSON.stringify(shifts)}`;
}

/** `read` steps are read for each of the shape. */
function checkSteps(limits: QueryServiceLimits, shape: StepShape, shownBefore: number, read: number): void {
  const { steps, stepMs, before } = {
    steps: shape.steps * read,
    stepMs: shape.stepMs / read,
    before: shownBefore * read,
  };
  if (steps + before <= limits.steps) return;
  const earlier = before === 0 ? '' : `, ${before} of them before the range`;
  const found = `one part of the query has ${steps + before} steps of ${stepMs / 1000} s${earlier}`;
  throw tooLong(limits, 'steps', found, 'ask for a shorter range, or for longer steps with .rollup(seconds)');
}
