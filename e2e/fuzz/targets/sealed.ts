import { crc32c } from '@tidemark/bytes';

/** Writes the checksum of all other bytes at `at`, so that mutations reach what a checksum protects. */
export function sealedAt(input: Buffer, at: number, from: number): Buffer {
  if (input.length < Math.max(at + 4, from)) return input;
  const sealed = Buffer.from(input);
  sealed.writeUInt32LE(crc32c(sealed.subarray(from)), at);
  return sealed;
}

/** Writes the checksum of all bytes before it into the last four. */
export function sealedAtEnd(input: Buffer): Buffer {
  if (input.length < 4) return input;
  const sealed = Buffer.from(input);
  sealed.writeUInt32LE(crc32c(sealed.subarray(0, -4)), sealed.length - 4);
  return sealed;
}
