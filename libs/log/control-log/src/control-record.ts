import { ByteReader, ByteWriter, crc32c } from '@tidemark/bytes';
import { ControlRecord } from '@tidemark/contract';
import { messageOf } from '@tidemark/ports';

const MAGIC = 0x434d4454; // "TDMC", little-endian
const VERSION = 3;
const HEADER_BYTES = 9;

/** Content of a control record: one of the messages of proto/tidemark/v1/control.proto. */
export type ControlMessage = NonNullable<ControlRecord['record']>;

/** Encodes a record of the `control` log: magic, version, CRC-32C, then the message (docs/formats/control.md). */
export function encodeControl(message: ControlMessage): Buffer {
  const body = ControlRecord.encode({ record: message }).finish();
  const out = new ByteWriter(HEADER_BYTES + body.length);
  out.u32(MAGIC);
  out.u8(VERSION);
  out.u32(crc32c(body));
  out.bytes(body);
  return out.take();
}

/** Decodes a control record. Throws `data_loss` when it is damaged or of a newer format. */
export function decodeControl(bytes: Uint8Array): ControlMessage {
  const reader = new ByteReader(bytes, 'control record');
  if (reader.u32() !== MAGIC) reader.fail('this is not a control record: wrong magic');
  const version = reader.u8();
  if (version !== VERSION) reader.fail(`format version ${version}, this program reads ${VERSION}`);
  const stored = reader.u32();
  const body = reader.bytes(reader.remaining);
  if (crc32c(body) !== stored) reader.fail('wrong checksum');
  const message = readMessage(body, reader);
  if (message === undefined) return reader.fail('empty message');
  return message;
}

function readMessage(body: Buffer, reader: ByteReader): ControlMessage | undefined {
  try {
    return ControlRecord.decode(body).record;
  } catch (error) {
    return reader.fail(`not a control message: ${messageOf(error)}`);
  }
}
