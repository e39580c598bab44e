import { type ByteReader, type ByteWriter, compareBytes } from '@tidemark/bytes';
import { isSeriesClass, type SeriesClass } from '@tidemark/model';
import { METRIC_BYTES_LIMIT, TENANT_BYTES_LIMIT } from './segment-format.ts';

/** What groups are sorted by, before their series. */
export interface MetricKey {
  /** In UTF-8. */
  readonly tenant: Uint8Array;
  readonly metric: Uint8Array;
  readonly seriesClass: SeriesClass;
}

/** Bytewise order of the tenant, then of the metric. */
export function compareNames(a: Omit<MetricKey, 'seriesClass'>, b: Omit<MetricKey, 'seriesClass'>): number {
  return compareBytes(a.tenant, b.tenant) || compareBytes(a.metric, b.metric);
}

export function compareMetricKeys(a: MetricKey, b: MetricKey): number {
  return compareNames(a, b) || a.seriesClass - b.seriesClass;
}

export function writeMetricKey({ tenant, metric, seriesClass }: MetricKey, out: ByteWriter): void {
  out.sizedBytes(tenant);
  out.sizedBytes(metric);
  out.u8(seriesClass);
}

/** Reads a key as views of the bytes. */
export function readMetricKey(reader: ByteReader): MetricKey {
  const tenant = reader.sizedBytes(TENANT_BYTES_LIMIT);
  const metric = reader.sizedBytes(METRIC_BYTES_LIMIT);
  const seriesClass = reader.u8();
  if (!isSeriesClass(seriesClass)) return reader.fail(`unknown class ${seriesClass} of a series`);
  return { tenant, metric, seriesClass };
}
