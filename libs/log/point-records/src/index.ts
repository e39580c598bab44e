export type { Definitions, SeriesDefinition } from './definitions.ts';
export { DEFINITION_BYTES } from './definitions.ts';
export type { BlockRecord, RecordHeader, RecordType } from './record.ts';
export { ALL_LANES, decodeRecord, encodeBareRecord, encodeRecord, MIN_RECORD_BYTES, RECORD } from './record.ts';
export { DICTIONARY_REFS_LIMIT, MAX_RECORD_BYTES } from './record-limits.ts';
export type { Span } from './span.ts';
export { SPAN_BYTES, spanBytes } from './span.ts';
