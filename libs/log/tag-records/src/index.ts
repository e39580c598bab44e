export { MAX_DAY, MAX_TAGS_RECORD_BYTES, TAGS_VERSION } from './layout.ts';
export { readMetricChange, writeMetricChange } from './metric-change.ts';
export type { TagRecordVisitor } from './read-tag-record.ts';
export { readTagRecord } from './read-tag-record.ts';
export { TagRecordWriter } from './tag-record-writer.ts';
