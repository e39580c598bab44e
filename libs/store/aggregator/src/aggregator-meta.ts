import { ByteReader, ByteWriter } from '@tidemark/bytes';
import { type LaneTracker, packTrackerHead } from '@tidemark/point-log';
import { TidemarkError } from '@tidemark/ports';

/**
 * Version of the format. In version 2 the tracker has an era and an age, in version 3 series have classes, in version 4
 * dictionaries have nothing else of them.
 */
export const AGGREGATOR_VERSION = 4;
const TRACKER_HEAD_BYTES = 1024;

/** Key of the one entry that every commit rewrites. */
export const META_KEY = Uint8Array.of(0x01);

/** The stored state of a partition in addition to the entries of `@tidemark/point-log`. */
export interface AggregatorMeta {
  readonly partition: number;
  readonly nextOffset: number;
  readonly points: number;
  readonly duplicatePoints: number;
  readonly trackerHead: Buffer;
}

/** Encodes the meta entry (docs/formats/aggregator.md). */
export function packMeta(meta: Omit<AggregatorMeta, 'trackerHead'>, tracker: LaneTracker): Buffer {
  const out = new ByteWriter(64);
  out.u8(AGGREGATOR_VERSION);
  out.sizedBytes(packTrackerHead(tracker));
  for (const value of [meta.partition, meta.nextOffset, meta.points, meta.duplicatePoints]) out.varint(value);
  return out.take();
}

/**
 * Decodes the meta entry. `failed_precondition` for another format than this program's, `data_loss` when it is damaged.
 */
export function unpackMeta(bytes: Uint8Array): AggregatorMeta {
  const reader = new ByteReader(bytes, 'aggregator meta');
  const version = reader.u8();
  if (version !== AGGREGATOR_VERSION) {
    throw new TidemarkError(
      'failed_precondition',
      `the aggregator's data has format ${version}, this program reads ${AGGREGATOR_VERSION}`,
      { version },
    );
  }
  const trackerHead = Buffer.from(reader.sizedBytes(TRACKER_HEAD_BYTES));
  const [partition, nextOffset, points, duplicatePoints] = Array.from({ length: 4 }, () => reader.varint());
  if (reader.remaining > 0) reader.fail(`${reader.remaining} bytes after the end`);
  return { partition, nextOffset, points, duplicatePoints, trackerHead };
}
