import type { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { crc32c } from './checksum.ts';

const HEADER_BYTES = 9;

/** What is before a message: its magic, and the version of its format. */
export interface Frame {
  /** Four characters, the first one in the lowest byte. */
  readonly magic: number;
  /** 0 to 255. */
  readonly version: number;
}

/** Puts magic, version and CRC-32C before a message. */
export function frameMessage({ magic, version }: Frame, body: Uint8Array): Buffer {
  const out = new ByteWriter(HEADER_BYTES + body.length);
  out.u32(magic);
  out.u8(version);
  out.u32(crc32c(body));
  out.bytes(body);
  return out.take();
}

/** Returns the message behind a frame, to the end of `reader`. `data_loss` where the frame is another one; `name` is for its text. */
export function readFramed(reader: ByteReader, { magic, version }: Frame, name: string): Buffer {
  if (reader.u32() !== magic) reader.fail(`this is not ${name}: wrong magic`);
  const found = reader.u8();
  if (found !== version) reader.fail(`format version ${found}, this program reads ${version}`);
  const stored = reader.u32();
  const body = reader.bytes(reader.remaining);
  if (crc32c(body) !== stored) reader.fail('wrong checksum');
  return body;
}
