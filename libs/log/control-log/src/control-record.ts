import { ByteReader, frameMessage, readFramed } from '@tidemark/bytes';
import { ControlRecord } from '@tidemark/contract';
import { messageOf } from '@tidemark/ports';

const MAGIC = 0x434d4454; // "TDMC", little-endian
const VERSION = 3;
const FRAME = { magic: MAGIC, version: VERSION };

/** Content of a control record: one of the messages of proto/tidemark/v1/control.proto. */
export type ControlMessage = NonNullable<ControlRecord['record']>;

/** Encodes a record of the `control` log: magic, version, CRC-32C, then the message (docs/formats/control.md). */
export function encodeControl(message: ControlMessage): Buffer {
  const body = ControlRecord.encode({ record: message }).finish();
  return frameMessage(FRAME, body);
}

/** Decodes a control record. Throws `data_loss` when it is damaged or of a newer format. */
export function decodeControl(bytes: Uint8Array): ControlMessage {
  const reader = new ByteReader(bytes, 'control record');
  const body = readFramed(reader, FRAME, 'a control record');
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
