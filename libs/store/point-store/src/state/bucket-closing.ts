import { ByteReader, ByteWriter } from '@tidemark/bytes';
import type { KeyValueWrite } from '@tidemark/ports';
import { CLOSING_KEY } from '../keys.ts';

/** The logical content of a bucket when it closed. */
export interface BucketHash {
  readonly bucket: number;
  /** End of the records that the hash covers. */
  readonly offset: number;
  readonly hash: string;
}

/** What a cut has marked to be closed: buckets, with the points that they had at its commit. */
export interface BucketClosing {
  /** The last bucket that closes. An era that begins meanwhile lowers it. */
  through: number;
  /** The offset of the cut: end of the records whose points are closed. */
  readonly offset: number;
  /** Number of the cut's commit: pages of later ones are not part of it. */
  readonly sequence: number;
  /** Hashes of the buckets that have closed so far, ascending. They are published when all have. */
  readonly hashes: BucketHash[];
}

/** Which buckets are closed, and what is being closed. */
export interface ClosingState {
  /** All buckets up to this one are closed, with or without pages. */
  readonly closedBucket: number;
  readonly closing: BucketClosing | undefined;
}

export function closingWrite({ closedBucket, closing }: ClosingState): KeyValueWrite {
  const out = new ByteWriter();
  out.signedVarint(closedBucket);
  out.u8(closing === undefined ? 0 : 1);
  if (closing !== undefined) {
    out.signedVarint(closing.through);
    out.varint(closing.offset);
    out.varint(closing.sequence);
  }
  return { key: CLOSING_KEY, value: out.take() };
}

/** Throws `data_loss` for damaged bytes. */
export function unpackClosing(bytes: Uint8Array): ClosingState {
  const reader = new ByteReader(bytes, 'closed buckets');
  const closedBucket = reader.signedVarint();
  const isClosing = reader.u8();
  if (isClosing > 1) reader.fail(`${isClosing} closes under way`);
  const closing =
    isClosing === 0
      ? undefined
      : { through: reader.signedVarint(), offset: reader.varint(), sequence: reader.varint(), hashes: [] };
  if (reader.remaining > 0) reader.fail(`${reader.remaining} bytes after the end`);
  return { closedBucket, closing };
}
