/** What completion of a query's text and fields for it need, without the evaluation: for browsers. */
export { CALENDAR_UNITS } from '@tidemark/fold/words';
export { ROLLUP_METHODS } from './ast.ts';
export type { CaretPlace } from './caret-place.ts';
export { caretPlace } from './caret-place.ts';
export { FUNCTION_NAMES, FUNCTIONS } from './functions.ts';
export { metricsIn } from './metrics-in.ts';
export { AGGREGATOR_NAMES } from './parse.ts';
export type { Place } from './place.ts';
export { RANK_SHORTHANDS } from './rank-shorthands.ts';
export { writeMetric, writePattern, writeWord } from './words.ts';
