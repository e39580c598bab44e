import { ByteReader, type ByteWriter, compareBytes } from '@tidemark/bytes';
import { ID_BYTES } from '@tidemark/model';
import { compareMetricKeys, type MetricKey, readMetricKey, writeMetricKey } from './metric-key.ts';
import type { IndexPlace } from './segment-footer.ts';
import { BLOCK_BYTES_LIMIT } from './segment-format.ts';

/** An index block: the key of its first group, and where it is. */
export interface BlockPlace extends MetricKey {
  readonly firstId: Uint8Array;
  readonly offset: number;
  readonly length: number;
  readonly crc32c: number;
}

export function writeBlockPlace(place: Omit<BlockPlace, 'offset'>, out: ByteWriter): void {
  writeMetricKey(place, out);
  out.bytes(place.firstId);
  out.varint(place.length);
  out.u32(place.crc32c);
}

/** Reads the index of blocks. Bytes may be hostile: those of anything else are `data_loss`. */
export function readTopIndex(bytes: Uint8Array, { indexAt, topIndexAt, blocks }: IndexPlace): BlockPlace[] {
  const reader = new ByteReader(bytes, 'index of blocks');
  const places: BlockPlace[] = [];
  let offset = indexAt;
  while (reader.remaining > 0) {
    const { tenant, metric, seriesClass } = readMetricKey(reader);
    const firstId = reader.bytes(ID_BYTES);
    const length = reader.varint();
    if (length === 0 || length > BLOCK_BYTES_LIMIT) {
      reader.fail(`an index block of ${length} bytes (limit: 1 to ${BLOCK_BYTES_LIMIT})`);
    }
    const place = { tenant, metric, seriesClass, firstId, offset, length, crc32c: reader.u32() };
    const before = places.at(-1);
    if (before !== undefined && comparePlaces(before, place) >= 0) reader.fail('index blocks descend');
    places.push(place);
    offset += length;
  }
  if (places.length !== blocks) reader.fail(`${places.length} index blocks, the footer says ${blocks}`);
  if (offset !== topIndexAt) reader.fail(`index blocks end at ${offset}, the footer says ${topIndexAt}`);
  return places;
}

function comparePlaces(a: BlockPlace, b: BlockPlace): number {
  return compareMetricKeys(a, b) || compareBytes(a.firstId, b.firstId);
}
