import type { SeriesName } from '@tidemark/model';

/** The last 8 bytes. */
export const NAMES_MAGIC = Buffer.from('TDMKNAME', 'latin1');
export const NAMES_VERSION = 1;
/** Index bytes, its CRC-32C, records, version, the checksum of these, magic. */
export const FOOTER_BYTES = 5 * 4 + NAMES_MAGIC.length;
/** Bytes from which on a record gets no further series: what is read for one small metric. */
export const RECORD_BYTES = 64 * 1024;
export const NAMES_BYTES_LIMIT = 2 ** 40;
export const INDEX_BYTES_LIMIT = 256 * 2 ** 20;
export const TENANT_BYTES_LIMIT = 255;
export const METRIC_BYTES_LIMIT = 4096;

/** A series that has points on a day. */
export interface NamedSeries {
  /** 16 bytes. */
  readonly id: Uint8Array;
  readonly name: SeriesName;
}
