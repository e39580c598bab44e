import { crc32c, fromHex, toHex } from '@tidemark/bytes';
import { type DiskFile, TidemarkError } from '@tidemark/ports';

/** The file of an object is its bytes and this trailer; docs/formats/object-file.md has the layout. */
export const TRAILER_BYTES = 32;
export const OBJECT_FILE_VERSION = 1;
export const TAG_BYTES = 8;

const MAGIC = 0x424f4d54; // "TMOB", little-endian
const AT = { magic: 0, version: 4, sizeBytes: 8, tag: 16, crc32c: 24, trailerCrc: 28 };

export interface ObjectTrailer {
  readonly sizeBytes: number;
  /** Random bytes in hexadecimal digits: each put makes its own. */
  readonly version: string;
  readonly crc32c: number;
}

export function encodeTrailer({ sizeBytes, version, crc32c: checksum }: ObjectTrailer): Uint8Array {
  const trailer = Buffer.alloc(TRAILER_BYTES);
  trailer.writeUInt32LE(MAGIC, AT.magic);
  trailer.writeUInt32LE(OBJECT_FILE_VERSION, AT.version);
  trailer.writeBigUInt64LE(BigInt(sizeBytes), AT.sizeBytes);
  trailer.set(fromHex(version), AT.tag);
  trailer.writeUInt32LE(checksum, AT.crc32c);
  trailer.writeUInt32LE(crc32c(trailer.subarray(0, AT.trailerCrc)), AT.trailerCrc);
  return trailer;
}

/** Decodes the trailer of a file of `fileBytes`. `data_loss` for every damage and for an unknown version. */
export function decodeTrailer(bytes: Uint8Array, fileBytes: number, path: string): ObjectTrailer {
  const trailer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const damaged = (what: string) => new TidemarkError('data_loss', `object file ${path}: ${what}`, { path });
  if (trailer.length !== TRAILER_BYTES) throw damaged(`${fileBytes} bytes (limit: at least ${TRAILER_BYTES})`);
  if (trailer.readUInt32LE(AT.magic) !== MAGIC) throw damaged('it does not end with the trailer of an object');
  const version = trailer.readUInt32LE(AT.version);
  if (version !== OBJECT_FILE_VERSION) throw damaged(`format ${version} (limit: ${OBJECT_FILE_VERSION})`);
  if (trailer.readUInt32LE(AT.trailerCrc) !== crc32c(trailer.subarray(0, AT.trailerCrc))) {
    throw damaged('the checksum of its trailer is wrong');
  }
  const sizeBytes = Number(trailer.readBigUInt64LE(AT.sizeBytes));
  if (sizeBytes !== fileBytes - TRAILER_BYTES) {
    throw damaged(`${fileBytes - TRAILER_BYTES} bytes of content (written: ${sizeBytes})`);
  }
  const tag = trailer.subarray(AT.tag, AT.tag + TAG_BYTES);
  return { sizeBytes, version: toHex(tag), crc32c: trailer.readUInt32LE(AT.crc32c) };
}

/** Reads the trailer of an open file. Errors: `data_loss`, and those of the disk. */
export async function readTrailer(file: DiskFile, path: string): Promise<ObjectTrailer> {
  const fileBytes = await file.sizeBytes();
  const trailer = new Uint8Array(TRAILER_BYTES);
  const read = await file.read(trailer, Math.max(0, fileBytes - TRAILER_BYTES));
  return decodeTrailer(trailer.subarray(0, read), fileBytes, path);
}
