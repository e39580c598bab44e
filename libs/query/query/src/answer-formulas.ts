import { type Frame, startOf } from '@tidemark/fold';
import { isTidemarkError, TidemarkError } from '@tidemark/ports';
import { type Expression, printExpression, type ValueUnit } from '@tidemark/query-language';
import { evaluated, type FrameOf, framesOf, noteValues, unitsOf, type ViewFrames } from './answer-query.ts';
import type { FormulaQuery } from './formula-query.ts';
import type { FormulaAnswer, FormulaResult, FormulaSeries } from './formula-request.ts';
import type { LeafSteps } from './leaf-steps.ts';
import type { QueryPlan } from './query-plan.ts';
import type { QueryRun } from './query-run.ts';
import { beyondLimit } from './query-service-limits.ts';
import { completeStepsOf } from './result-series.ts';
import { hasValue, InfiniteValues } from './value-notes.ts';

/** Evaluates each formula over what was read for the plan. formulas.test.ts covers it. */
export async function answerFormulas(
  { notes, resultsAre, isReduced, fromMs, toMs }: FormulaQuery,
  plan: QueryPlan,
  run: QueryRun,
  views: ViewFrames,
): Promise<FormulaAnswer> {
  const frameOf = await framesOf(views, run);
  const frames = await evaluateAll(plan, resultsAre, frameOf, run);
  const shown = [...plan.reads.values()].map(({ steps }) => shownRange(steps));
  const coveredFromMs = Math.min(...shown.map(([startMs]) => startMs));
  const coveredToMs = Math.max(...shown.map(([, endMs]) => endMs));
  if (isReduced && (coveredFromMs < fromMs || coveredToMs > toMs)) {
    run.notes.add(`values are of whole steps, from ${isoTime(coveredFromMs)} to ${isoTime(coveredToMs)}`);
  }
  const unitOfExpression = unitsOf(views);
  for (const [i, expression] of plan.query.expressions.entries()) {
    const infinite = new InfiniteValues();
    for (const { values } of frames[i].series) infinite.add(values);
    noteValues(run, views, expression, hasValue(frames[i]), infinite);
  }
  const isComplete = run.throughMs !== undefined && run.throughMs >= coveredToMs;
  return {
    results: plan.query.expressions.map((expression, i) =>
      resultOf(
        expression,
        unitOfExpression(expression),
        frames[i],
        isReduced ? Number(isComplete) : completeStepsOf(frames[i], run.throughMs),
      ),
    ),
    coveredFromMs,
    coveredToMs,
    completeThroughMs: run.throughMs,
    errors: run.parts.sortedErrors(),
    gaps: run.gaps,
    pointsRead: run.pointsRead,
    seriesRead: run.seriesRead,
    notes: [...notes, ...run.notes],
  };
}

/**
 * The frames of all formulas. They may show one metric many times, and a column of Datadog's format has the steps of all
 * results: so their values are limited again.
 */
async function evaluateAll(plan: QueryPlan, resultsAre: string, frameOf: FrameOf, run: QueryRun): Promise<Frame[]> {
  const frames: Frame[] = [];
  const starts = new Set<number>();
  const { limits } = run;
  let series = 0;
  for (const [i, expression] of plan.query.expressions.entries()) {
    const frame = await inField(`${resultsAre}.${i}`, () => evaluated(expression, plan, frameOf, run));
    frames.push(frame);
    for (let step = 0; step < frame.steps; step++) starts.add(startOf(frame, step));
    series += frame.series.length;
    const values = starts.size * series;
    if (values <= limits.values) continue;
    throw beyondLimit(limits, 'values', `${series} series of formulas over ${starts.size} steps are ${values} values`);
  }
  return frames;
}

async function inField<T>(field: string, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    if (!isTidemarkError(error, 'invalid_argument')) throw error;
    throw new TidemarkError('invalid_argument', `${field}: ${error.message}`, { ...error.detail, field });
  }
}

/** The times of the steps that an answer shows, without those before the range. */
function shownRange(steps: LeafSteps): readonly [number, number] {
  return [startOf(steps, steps.before), startOf(steps, steps.steps)];
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

function resultOf(
  expression: Expression,
  unit: ValueUnit | undefined,
  frame: Frame,
  completeSteps: number,
): FormulaResult {
  return {
    expression: printExpression(expression),
    startsMs: Array.from({ length: frame.steps }, (_, step) => startOf(frame, step)),
    stepMs: frame.stepMs,
    completeSteps,
    unit,
    series: frame.series.flatMap(({ tags, values }): FormulaSeries[] =>
      values.every(Number.isNaN) ? [] : [{ tags, values }],
    ),
  };
}
