export { lowerBound } from './lower-bound.ts';
export { Page } from './page.ts';
export { PAGE_RECORD_BYTES, PageDecoder } from './page-decoder.ts';
export {
  BODY_BYTES_LIMIT,
  PAGE_RECORDS_LIMIT,
  PAGE_SLOTS_LIMIT,
  PAGE_TIMES_LIMIT,
  type PageSource,
} from './page-format.ts';
export { PageKernel } from './page-kernel.ts';
export { recordNumbersOf } from './page-summary.ts';
export { PageWriter } from './page-writer.ts';
export { readSeriesRuns, writeSeriesRuns } from './series-runs.ts';
export { SharedTimes } from './shared-times.ts';
export type { TimeClass } from './time-class.ts';
export { TimeClasses } from './time-classes.ts';
export { type RecordedPlace, TimesRecord } from './times-record.ts';
export { TimesWriter } from './times-writer.ts';
export { BLOCK_VALUES, LARGEST_PIECE_BYTES, type ValueBlocks } from './value-blocks.ts';
