import { ByteReader, ByteWriter } from '@tidemark/bytes';
import { changedStatement, hash128, type MetricMetadata } from '@tidemark/model';
import { readMetricChange, writeMetricChange } from '@tidemark/tag-records';
import type { Metric } from './metric-table.ts';

/** The stored value of a metric's metadata: what the protocol says, then what the user says. */
export function encodeMetadata({ protocol = {}, user = {} }: MetricMetadata): Buffer {
  const out = new ByteWriter();
  writeMetricChange(protocol, out);
  writeMetricChange(user, out);
  return out.take();
}

/** Decodes a stored value. Throws `data_loss`. */
export function decodeMetadata(value: Uint8Array, what: string): MetricMetadata {
  const reader = new ByteReader(value, what);
  const protocol = changedStatement(undefined, readMetricChange(reader));
  const user = changedStatement(undefined, readMetricChange(reader));
  if (reader.remaining > 0) reader.fail(`${reader.remaining} bytes after the end`);
  return { protocol, user };
}

/** The subject of the hashed fact that a metric has this metadata, 16 bytes. */
export function metadataHash(metric: Metric): Buffer {
  return hash128(Buffer.concat([metric.id, encodeMetadata(metric.metadata)]));
}
