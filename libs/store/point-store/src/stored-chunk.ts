import { ByteReader, type ByteWriter } from '@tidemark/bytes';

const VERSION = 1;

/** One stored chunk: the chunk format, and the fields that are needed to resolve it with others of its series. */
export interface StoredChunk {
  /**
   * Map epoch of its points. Of two values of one timestamp that of the higher map epoch is valid, then that of the
   * later offset.
   */
  readonly mapEpoch: number;
  /** Start of the records [fromOffset, toOffset) of the partition that its points are from. */
  readonly fromOffset: number;
  readonly toOffset: number;
  /** The chunk format (docs/formats/chunk.md), of numbers or of sketches. */
  readonly chunk: Uint8Array;
}

/** Writes the fields before the content of a stored chunk, which the caller appends to `out`. */
export function writeChunkHead(head: Omit<StoredChunk, 'chunk'>, out: ByteWriter): void {
  out.u8(VERSION);
  out.varint(head.mapEpoch);
  out.varint(head.fromOffset);
  out.varint(head.toOffset - head.fromOffset);
}

export function readStoredChunk(bytes: Uint8Array): StoredChunk {
  const reader = new ByteReader(bytes, 'stored chunk');
  const version = reader.u8();
  if (version !== VERSION) reader.fail(`format version ${version}, this program reads ${VERSION}`);
  const mapEpoch = reader.varint();
  const fromOffset = reader.varint();
  const toOffset = fromOffset + reader.varint();
  return { mapEpoch, fromOffset, toOffset, chunk: reader.bytes(reader.remaining) };
}
