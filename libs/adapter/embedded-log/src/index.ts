export type { EmbeddedLogOptions, LostRange, ProgressListener } from './embedded-log.ts';
export { EMBEDDED_LOG_LOCK, EmbeddedLog, openEmbeddedLog } from './embedded-log.ts';
export type { EmbeddedLogLimits } from './embedded-log-limits.ts';
export { DEFAULT_EMBEDDED_LOG_LIMITS } from './embedded-log-limits.ts';
export type { EmbeddedLogReaderOptions } from './embedded-log-reader.ts';
export { EmbeddedLogReader, openEmbeddedLogReader } from './embedded-log-reader.ts';
export type { PartitionCounts } from './partition-set.ts';
export { ProducerWriter } from './producer-writer.ts';
