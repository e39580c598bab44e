import { ByteReader, type ByteWriter } from '@tidemark/bytes';

const VERSION = 1;

/** One chunk as stored: the chunk format with what is needed to resolve it against others of its series. */
export interface StoredChunk {
  /** Of two values of one timestamp, that of the higher map epoch stands, then that of the later offset. */
  readonly mapEpoch: number;
  /** Its points came from records [fromOffset, toOffset) of the partition. */
  readonly fromOffset: number;
  readonly toOffset: number;
  /** The chunk format (docs/formats/chunk.md), of numbers or of sketches. */
  readonly chunk: Uint8Array;
}

/** Writes all of a stored chunk but its content, which the caller appends to `out`. */
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
