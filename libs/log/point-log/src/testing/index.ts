export type { TestPoint, TestSpan } from './log-builder.ts';
export { classOf, LogBuilder, metricIdOf, seriesIdOf, shareOf, sketchOf } from './log-builder.ts';
export type { Model, ModelPoint, ScriptSpan, ScriptStep } from './log-script.ts';
export { LATENESS_MS, play, resolved, SERIES, START_MS, statedMsOf } from './log-script.ts';
export { script } from './script-arbitrary.ts';
