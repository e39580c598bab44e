import { TidemarkError } from '@tidemark/ports';

/** Metadata of each object: its CRC-32C where it was known at the start of the put, and a random number of the put. */
export const META_CRC32C = 'tidemark-crc32c';
export const META_PUT = 'tidemark-put';

/** CRC-32C as S3 writes it: base64 of four bytes, big-endian. */
export function toBase64(crc32c: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32c);
  return bytes.toString('base64');
}

export function toMetadata(crc32c: number): string {
  return crc32c.toString(16).padStart(8, '0');
}

/** What an answer of GetObject or HeadObject has of checksums. */
export interface StatedChecksum {
  readonly ChecksumCRC32C?: string;
  readonly Metadata?: Readonly<Record<string, string>>;
}

/** The CRC-32C of a whole object. `data_loss` when it has none: then this program did not write it. */
export function statedCrc32c(key: string, { ChecksumCRC32C: base64, Metadata: metadata }: StatedChecksum): number {
  // A checksum of the checksums of parts has their number behind a dash.
  if (base64 !== undefined && /^[A-Za-z0-9+/]{6}==$/.test(base64)) return Buffer.from(base64, 'base64').readUInt32BE();
  const hex = metadata?.[META_CRC32C];
  if (hex !== undefined && /^[0-9a-f]{8}$/.test(hex)) return Number.parseInt(hex, 16);
  const message = `object ${key} has no CRC-32C, so this program did not write it; delete it, or restore the original`;
  throw new TidemarkError('data_loss', message, { key });
}
