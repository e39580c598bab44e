import { ByteWriter } from '@tidemark/bytes';
import { ColumnReader } from '@tidemark/columns';
import { PAGE_SLOTS_LIMIT, readSeriesRuns, writeSeriesRuns } from '@tidemark/page';

const VERSION = 1;

/** Which series of a metric are in a page: the value of an index entry, whose key has the metric and the page's number. */
export interface IndexedPage {
  /** Several metrics share the page. */
  readonly isShared: boolean;
  readonly series: Uint32Array;
}

const out = new ByteWriter();
const reader = new ColumnReader('page index');

export function packIndexedPage({ isShared, series }: IndexedPage): Buffer {
  out.reset();
  out.u8(VERSION);
  out.u8(isShared ? 1 : 0);
  out.varint(series.length);
  writeSeriesRuns(series, out);
  return out.take();
}

/** Throws `data_loss` for bytes that are not an index entry. */
export function unpackIndexedPage(bytes: Uint8Array): IndexedPage {
  reader.open(bytes);
  const version = reader.u8();
  if (version !== VERSION) reader.fail(`format version ${version}, this program reads ${VERSION}`);
  const shared = reader.u8();
  if (shared > 1) reader.fail(`unknown kind ${shared} of a page`);
  const series = readSeriesRuns(reader, reader.count(PAGE_SLOTS_LIMIT, 'series'));
  if (reader.remaining > 0) reader.fail(`${reader.remaining} bytes after the end`);
  return { isShared: shared === 1, series };
}
