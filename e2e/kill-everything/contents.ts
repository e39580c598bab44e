import type { QueryReply } from '@tidemark/contract';
import { type LoadMetric, METRICS, STEP_MS } from './settings.ts';

/** Returns the query for the single points of a metric: a series and step has at most one. */
export function questionOf({ name }: LoadMetric): string {
  return `sum:${name}{*} by {client,slot}.rollup(points, ${STEP_MS / 1000})`;
}

/** Values of an answer by `pointKey`. */
export function valuesOf({ name }: LoadMetric, { series }: Pick<QueryReply, 'series'>): Map<string, number> {
  const found = new Map<string, number>();
  for (const { tagSet, timesMs, values } of series) {
    timesMs.forEach((timeMs, i) => {
      found.set(`${name}{${tagSet.join()}}@${timeMs}`, values[i]);
    });
  }
  return found;
}

/** Returns the start of the step in a key of `pointKey`. */
export function stepOf(key: string): number {
  return Number(key.slice(key.lastIndexOf('@') + 1));
}

export interface Range {
  readonly fromMs: number;
  readonly toMs: number;
}

/** An answer that was given during the faults. */
export interface Answer {
  readonly metric: LoadMetric;
  readonly range: Range;
  readonly askedMs: number;
  readonly throughMs: number | undefined;
  readonly errors: number;
  readonly values: ReadonlyMap<string, number>;
}

/** Whole steps on both ends. */
export function rangeOf(fromMs: number, toMs: number): Range {
  return { fromMs: Math.floor(fromMs / STEP_MS) * STEP_MS, toMs: Math.ceil(toMs / STEP_MS) * STEP_MS };
}

export type Ask = (query: string, range: Range) => Promise<QueryReply>;

/** Returns every point of the platform in a range. Throws if an answer lacks a part. */
export async function readContents(ask: Ask, range: Range): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const metric of METRICS) {
    const reply = await ask(questionOf(metric), range);
    if (reply.errors.length > 0) throw new Error(`${metric.name}: ${JSON.stringify(reply.errors)}`);
    for (const [key, value] of valuesOf(metric, reply)) found.set(key, value);
  }
  return found;
}
