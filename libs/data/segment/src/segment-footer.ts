import { ByteReader, ByteWriter, crc32c, equalBytes } from '@tidemark/bytes';
import { assert, TidemarkError } from '@tidemark/ports';
import { decodedAt, segmentLoss } from './segment-error.ts';
import {
  SEGMENT_MAGIC,
  SEGMENT_VERSION,
  type SegmentCounts,
  type SegmentHead,
  TOP_INDEX_BYTES_LIMIT,
} from './segment-format.ts';
import { HEAD_BYTES, HEADER_BYTES, readHead, readU64, writeHead, writeU64 } from './segment-head.ts';

/** The end of a footer of any version: its size, its version, the checksum of what is before that, magic. */
const TAIL_BYTES = 3 * 4 + SEGMENT_MAGIC.length;
/** Bytes of the footer, which are the last of a segment. */
export const FOOTER_BYTES = HEAD_BYTES + 3 * 8 + 7 * 4 + 2 * 8 + TAIL_BYTES;
/** Added to times, which may be before 1970. */
const TIME_BIAS_MS = 2 ** 52;

/** Where the index is. */
export interface IndexPlace {
  /** Where the first index block begins, behind all pages. */
  readonly indexAt: number;
  /** Where the index of blocks begins, behind the last block, its size and its CRC-32C. */
  readonly topIndexAt: number;
  readonly topIndexBytes: number;
  readonly topIndexCrc: number;
  /** Number of index blocks. */
  readonly blocks: number;
}

export interface SegmentFooter extends IndexPlace {
  readonly head: SegmentHead;
  readonly counts: SegmentCounts;
}

export function encodeFooter(footer: SegmentFooter): Buffer {
  const { head, counts, indexAt, topIndexAt, topIndexBytes, topIndexCrc, blocks } = footer;
  const out = new ByteWriter(FOOTER_BYTES);
  writeHead(head, out);
  writeU64(indexAt, out);
  writeU64(topIndexAt, out);
  out.u32(topIndexBytes);
  out.u32(topIndexCrc);
  out.u32(blocks);
  out.u32(counts.metrics);
  out.u32(counts.groups);
  out.u32(counts.series);
  out.u32(counts.pages);
  writeU64(counts.points, out);
  writeU64(counts.minTimeMs + TIME_BIAS_MS, out);
  writeU64(counts.maxTimeMs + TIME_BIAS_MS, out);
  out.u32(FOOTER_BYTES);
  out.u32(SEGMENT_VERSION);
  out.u32(crc32c(out.view()));
  out.bytes(SEGMENT_MAGIC);
  assert(out.length === FOOTER_BYTES, 'the footer has its size');
  return out.take();
}

/**
 * Reads the footer from the last bytes of a segment of `sizeBytes`. Errors: `data_loss` for anything else,
 * `failed_precondition` for a segment of a newer program.
 */
export function decodeFooter(end: Uint8Array, sizeBytes: number): SegmentFooter {
  const where = { offset: sizeBytes - end.length, sizeBytes };
  if (end.length < TAIL_BYTES) throw segmentLoss(`${end.length} bytes are too few for a footer`, where);
  const tail = new ByteReader(end, 'segment footer', end.length - TAIL_BYTES);
  const size = tail.u32();
  const version = tail.u32();
  const crc = tail.u32();
  if (!equalBytes(tail.bytes(SEGMENT_MAGIC.length), SEGMENT_MAGIC)) {
    throw segmentLoss('the last bytes are not those of a segment', where);
  }
  if (size < TAIL_BYTES || size > end.length) throw segmentLoss(`a footer of ${size} bytes`, where);
  const checked = end.length - SEGMENT_MAGIC.length - 4;
  const at = end.length - size;
  if (crc !== crc32c(end.subarray(at, checked))) throw segmentLoss('a wrong checksum of the footer', where);
  if (version > SEGMENT_VERSION) {
    const text = `the segment has format ${version}, this program reads ${SEGMENT_VERSION}; update this program`;
    throw new TidemarkError('failed_precondition', text, { version, limit: SEGMENT_VERSION });
  }
  if (version !== SEGMENT_VERSION || size !== FOOTER_BYTES) {
    throw segmentLoss(`a footer of version ${version} with ${size} bytes`, where);
  }
  return decodedAt('the footer', where, () => readFooter(new ByteReader(end, 'segment footer', at), sizeBytes));
}

function readFooter(reader: ByteReader, sizeBytes: number): SegmentFooter {
  const head = readHead(reader);
  const indexAt = readU64(reader);
  const topIndexAt = readU64(reader);
  const topIndexBytes = reader.u32();
  const topIndexCrc = reader.u32();
  const blocks = reader.u32();
  const counts: SegmentCounts = {
    metrics: reader.u32(),
    groups: reader.u32(),
    series: reader.u32(),
    pages: reader.u32(),
    points: readU64(reader),
    minTimeMs: readU64(reader) - TIME_BIAS_MS,
    maxTimeMs: readU64(reader) - TIME_BIAS_MS,
  };
  const isInOrder = HEADER_BYTES < indexAt && indexAt < topIndexAt;
  if (!isInOrder || topIndexAt + topIndexBytes + FOOTER_BYTES !== sizeBytes) {
    reader.fail(`an index at ${indexAt} to ${topIndexAt} of ${sizeBytes} bytes`);
  }
  if (topIndexBytes > TOP_INDEX_BYTES_LIMIT) {
    reader.fail(`${topIndexBytes} bytes of the index of blocks (limit: ${TOP_INDEX_BYTES_LIMIT})`);
  }
  if (blocks === 0) reader.fail('no index block');
  return { head, indexAt, topIndexAt, topIndexBytes, topIndexCrc, blocks, counts };
}
