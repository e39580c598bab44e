export { KnownSeries } from './known-series.ts';
export type { DatadogLimits } from './limits.ts';
export { DEFAULT_DATADOG_LIMITS } from './limits.ts';
export type { PayloadForm, PayloadRequest } from './payload.ts';
export { openPayload } from './payload.ts';
export type { PointSink } from './point-sink.ts';
export type { RequestRefusal } from './request-refusal.ts';
