export type { Definitions, SeriesDefinition } from './definitions.ts';
export type { BlockRecord, RecordHeader, RecordType } from './record.ts';
export { ALL_LANES, decodeRecord, encodeBareRecord, encodeRecord, RECORD } from './record.ts';
export { DICTIONARY_REFS_LIMIT, MAX_RECORD_BYTES } from './record-limits.ts';
export type { Span } from './span.ts';
