import { ByteReader, ByteWriter } from '@tidemark/bytes';
import { changedStatement, hash128, type MetricMetadata } from '@tidemark/model';
import { readMetricChange, writeMetricChange } from '@tidemark/tag-records';
import type { Metric } from './metric-table.ts';

/**
 * The stored value of a metric's metadata: what the protocol says, then what the user says, then what is implied, which is
 * left out where there is nothing.
 */
export function encodeMetadata({ protocol = {}, user = {}, implied = {} }: MetricMetadata): Buffer {
  const out = new ByteWriter();
  writeMetricChange(protocol, out);
  writeMetricChange(user, out);
  if (Object.keys(implied).length > 0) writeMetricChange(implied, out);
  return out.take();
}

/** Decodes a stored value. Throws `data_loss`. */
export function decodeMetadata(value: Uint8Array, what: string): MetricMetadata {
  const reader = new ByteReader(value, what);
  const protocol = changedStatement(undefined, readMetricChange(reader));
  const user = changedStatement(undefined, readMetricChange(reader));
  if (reader.remaining === 0) return { protocol, user };
  const implied = changedStatement(undefined, readMetricChange(reader));
  if (Object.keys(implied).length === 0) reader.fail('an empty part of what is implied');
  if (reader.remaining > 0) reader.fail(`${reader.remaining} bytes after the end`);
  return { protocol, user, implied };
}

/** The subject of the hashed fact that a metric has this metadata, 16 bytes. */
export function metadataHash(metric: Metric): Buffer {
  return hash128(Buffer.concat([metric.id, encodeMetadata(metric.metadata)]));
}
