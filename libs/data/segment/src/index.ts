export { compareMetricKeys, type MetricKey } from './metric-key.ts';
export { objectSource } from './object-source.ts';
export {
  numbersOf,
  type PagesPlan,
  type PagesQuery,
  type PlannedGroup,
  planPages,
  plansOf,
  type ReadGroup,
  readPages,
} from './read-pages.ts';
export type { ReadLimits, SegmentSource } from './read-ranges.ts';
export { DEFAULT_SEGMENT_LIMITS, type GroupQuery, Segment, type SegmentLimits } from './segment.ts';
export type { SegmentCounts, SegmentHead } from './segment-format.ts';
export type { PagePlace, SegmentGroup, SegmentRange } from './segment-group.ts';
export { SegmentInput } from './segment-input.ts';
export type { SegmentSeries, SeriesPart } from './segment-series.ts';
export { SEGMENT_BYTES, type SegmentWriterOptions, writeSegment } from './segment-writer.ts';
export { verifySegment } from './verify-segment.ts';
