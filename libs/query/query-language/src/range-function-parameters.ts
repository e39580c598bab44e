import type { RangeFunctionName } from '@tidemark/fold';
import { MOVING_METHODS } from '@tidemark/fold/words';
import type { Parameter } from './parameter.ts';

const LIMIT: Parameter = { name: 'limit', type: 'number' };
const MAX_WINDOW_SECONDS = 366 * 86_400;
/** A 64-bit number has no more digits. */
const MAX_PLACES = 15;

/** The parameters of the functions that `applyRangeFunction` applies. */
export const RANGE_FUNCTION_PARAMETERS: Readonly<Record<RangeFunctionName, readonly Parameter[]>> = {
  ewma_1: [],
  ewma_3: [],
  ewma_5: [],
  ewma_7: [],
  ewma_10: [],
  ewma_20: [],
  median_3: [],
  median_5: [],
  median_7: [],
  median_9: [],
  rollingavg_5: [],
  rollingavg_13: [],
  rollingavg_21: [],
  rollingavg_29: [],
  moving_rollup: [
    { name: 'seconds', type: 'integer', min: 1, max: MAX_WINDOW_SECONDS },
    { name: 'method', type: 'choice', choices: MOVING_METHODS, default: 'avg' },
  ],
  autosmooth: [],
  trend_line: [],
  robust_trend: [],
  piecewise_constant: [],
  count_nonzero: [],
  count_not_null: [],
  exclude_null: [],
  cutoff_min: [LIMIT],
  cutoff_max: [LIMIT],
  round: [{ name: 'decimal places', type: 'integer', min: -MAX_PLACES, max: MAX_PLACES, default: 0 }],
  default: [{ name: 'value', type: 'number' }],
  monotonic_diff: [],
  throughput: [],
};
