import type { AnswerSeries } from '../api/api-types.ts';
import { unitAsSent } from './sent-unit.ts';
import { NO_UNIT, type Unit, unitOfMetric } from './units.ts';

/**
 * Returns the unit of a series: the one that the answer states, otherwise that of the metric's name for a plain
 * aggregation, and none for functions and arithmetic.
 */
export function unitOfSeries({ metric, expression, unit }: AnswerSeries): Unit {
  if (unit !== undefined) return unitAsSent(unit);
  const isPlain = /^\s*(?:(?:avg|sum|min|max|last|p\d)[^()]*)?(?:\.rollup\([^)]*\))?\s*$/.test(expression);
  return isPlain && !/[-+*/]\s/.test(expression) ? unitOfMetric(metric) : NO_UNIT;
}
