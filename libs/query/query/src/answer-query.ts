import type { ResultSeries } from '@tidemark/contract';
import { dropSteps, type Frame, startOf } from '@tidemark/fold';
import { KIND, type Kind } from '@tidemark/model';
import { assert } from '@tidemark/ports';
import {
  type Expression,
  evaluate,
  type LeafView,
  leavesOf,
  printAggregator,
  printExpression,
  printFilter,
  type QueryLeaf,
  readStepsOf,
  unitOf,
  type ValueUnit,
} from '@tidemark/query-language';
import { type LeafRead, type QueryPlan, readKey } from './query-plan.ts';
import type { AskedExpression, QueryAnswer } from './query-reader.ts';
import type { QueryRun } from './query-run.ts';
import { beyondLimit } from './query-service-limits.ts';
import { resultSeries } from './result-series.ts';
import { hasAutomaticStep, stepNotes } from './step-notes.ts';
import { automaticStepMs } from './steps.ts';
import { suggestions } from './suggestions.ts';
import { hasValue, InfiniteValues } from './value-notes.ts';
import { frameOfView, type ViewFrame } from './view-frame.ts';

/** The frames of a plan's reads, by `readKey`. */
export type ViewFrames = ReadonlyMap<string, LeafRead & ViewFrame>;

/** Reads what the plan says. The tests of query-service.ts cover it. */
export async function readViews({ reads }: QueryPlan, run: QueryRun): Promise<ViewFrames> {
  const views = await Promise.all(
    [...reads].map(
      async ([key, read]) => [key, { ...read, ...(await frameOfView(run, read.leaf, read.steps)) }] as const,
    ),
  );
  run.parts.requireOne();
  return new Map(views);
}

/** The step that leaves without one should have by the reporting intervals that were found, ms. */
export function betterStepMs({ rangeMs, automaticMs }: QueryPlan, views: ViewFrames): number {
  const automatic = [...views.values()].filter(({ leaf }) => hasAutomaticStep(leaf));
  if (automatic.length === 0) return automaticMs;
  return automaticStepMs(
    rangeMs,
    automatic.map(({ findings }) => findings.usualIntervalMs),
  );
}

/** The frame of a leaf with a view, as `evaluate` asks for it. */
export type FrameOf = (leaf: QueryLeaf, view: LeafView) => Frame;

/** The frames of what was read. What an answer must say about them is added to the run. */
export async function framesOf(views: ViewFrames, run: QueryRun): Promise<FrameOf> {
  const looked = [...views.values()];
  for (const { leaf, steps, findings, frame, meaning } of looked) {
    const readFromMs = Math.min(...steps.segments.map(({ fromMs }) => fromMs));
    for (const note of findings.notes(leaf.metric, readFromMs)) run.notes.add(note);
    // Where nothing was found, the reason is what counts.
    if (frame.series.length === 0) continue;
    for (const note of stepNotes(leaf, steps.stepMs, findings)) run.notes.add(note);
    // Where a part has not answered, its points may be what is missing.
    if (run.parts.errors.length > 0 || hasValue(frame, steps.before)) continue;
    const isComplete = run.throughMs !== undefined && run.throughMs >= startOf(steps, steps.steps);
    run.notes.add(noValueNote(leaf, meaning.kinds, isComplete));
  }
  for (const note of await suggestions(run, looked)) run.notes.add(note);
  return (leaf, view) => {
    const found = views.get(readKey(leaf, view));
    assert(found !== undefined, 'every leaf has been read');
    return dropSteps(found.frame, found.steps.before - view.before * readStepsOf(leaf));
  };
}

/** Says that series exist and have no value, so that an empty answer is not read as 0. */
function noValueNote({ metric, filter, as }: QueryLeaf, kinds: readonly Kind[], isComplete: boolean): string {
  const isIncrease = as !== undefined || kinds.includes(KIND.counter);
  const why = isIncrease ? 'no points, or no two readings of a counter' : 'no points';
  const range = isComplete ? 'in this range' : 'in this range as far as it is complete';
  return `${metric} has series that match {${printFilter(filter)}}, and ${why} ${range}: that is not a value of 0`;
}

/** Adds to the run what an answer must say of the values of an expression: that some are infinite, or that there are none. */
export function noteValues(
  run: QueryRun,
  views: ViewFrames,
  expression: Expression,
  hasResult: boolean,
  infinite: InfiniteValues,
): void {
  const text = printExpression(expression);
  const note = infinite.note(text);
  if (note !== undefined) run.notes.add(note);
  // Where a part failed, the error says so; where a leaf has no values, a note of that leaf does.
  if (hasResult || run.parts.errors.length > 0) return;
  if (![...views.values()].every(({ frame, steps }) => hasValue(frame, steps.before))) return;
  run.notes.add(
    `${text} has no value in this range, although its metrics have: its functions or arithmetic leave none`,
  );
}

/** Returns the units of expressions over what was read; undefined where none follows from what is stated. */
export function unitsOf(views: ViewFrames): (expression: Expression) => ValueUnit | undefined {
  const meanings = new Map([...views.values()].map(({ leaf, meaning }) => [leaf.metric, meaning]));
  return (expression) => unitOf(expression, ({ metric }) => meanings.get(metric) ?? { unit: undefined, kinds: [] });
}

/** Evaluates the query over what was read. */
export async function answerQuery(plan: QueryPlan, run: QueryRun, views: ViewFrames): Promise<QueryAnswer> {
  const { query } = plan;
  const frameOf = await framesOf(views, run);
  const unitOfExpression = unitsOf(views);
  const series: ResultSeries[] = [];
  let values = 0;
  for (const expression of query.expressions) {
    const frame = await evaluated(expression, plan, frameOf, run);
    values += frame.series.length * frame.steps;
    if (values > run.limits.values) throw beyondLimit(run.limits, 'values', `an answer of ${values} values or more`);
    const infinite = new InfiniteValues();
    const work = resultSeries(expression, unitOfExpression(expression), frame, run.throughMs, run.memory, infinite);
    const shown = await run.inSlices(work);
    noteValues(run, views, expression, shown.length > 0, infinite);
    series.push(...shown);
  }
  return {
    series,
    completeThroughMs: run.throughMs,
    errors: run.parts.sortedErrors(),
    gaps: run.gaps,
    pointsRead: run.pointsRead,
    seriesRead: run.seriesRead,
    notes: [...run.notes],
    expressions: query.expressions.map(askedExpression),
    groupBy: [...new Set(leavesOf(query).flatMap((leaf) => leaf.groupBy))],
  };
}

/** The frame of one expression, whose memory is that of the run. */
export async function evaluated(
  expression: Expression,
  { shapeOf }: QueryPlan,
  frameOf: FrameOf,
  run: QueryRun,
): Promise<Frame> {
  const [frame] = await run.inSlices(evaluate({ expressions: [expression] }, frameOf, shapeOf, run.memory));
  return frame;
}

function askedExpression(expression: Expression): AskedExpression {
  const aggregator = expression.type === 'query' ? printAggregator(expression.aggregator) : undefined;
  return { text: printExpression(expression), aggregator };
}
