import { crc32c } from '@tidemark/bytes';
import { TidemarkError, type Topic } from '@tidemark/ports';

/** Bytes of version and checksum before the value; docs/formats/kafka-record.md has the byte diagram. */
export const ENVELOPE_BYTES = 5;
export const ENVELOPE_VERSION = 1;

/**
 * The start of all checksums of a partition: the checksum of its topic and number. A record that was stored in any
 * other partition, by any program, fails its check.
 */
export function placeChecksum(topic: Topic, partition: number): number {
  return crc32c(Buffer.from(`${topic}/${partition}\0${String.fromCharCode(ENVELOPE_VERSION)}`, 'latin1'));
}

/** The checksum of a value in a partition, from the partition's `placeChecksum`. */
export function valueChecksum(place: number, value: Uint8Array): number {
  return crc32c(value, place);
}

/** Writes the envelope's head; the value follows it. */
export function writeEnvelope(target: Buffer, at: number, checksum: number): void {
  target[at] = ENVELOPE_VERSION;
  target.writeUInt32LE(checksum, at + 1);
}

/** Opens a stored record: its value as a view, or a string that says what is wrong with it. */
export function openEnvelope(place: number, stored: Uint8Array | null | undefined): Uint8Array | string {
  if (stored === null || stored === undefined) return 'it has no value';
  if (stored.length < ENVELOPE_BYTES)
    return `it has ${stored.length} bytes, fewer than an envelope (${ENVELOPE_BYTES} bytes)`;
  if (stored[0] !== ENVELOPE_VERSION) {
    return `its envelope has version ${stored[0]}, this program reads ${ENVELOPE_VERSION}`;
  }
  const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.length);
  const value = bytes.subarray(ENVELOPE_BYTES);
  return bytes.readUInt32LE(1) === valueChecksum(place, value) ? value : 'it fails its checksum';
}

/** The `data_loss` of one record, which an operator may skip. */
export function recordLoss(topic: Topic, partition: number, offset: number, why: string): TidemarkError {
  return new TidemarkError('data_loss', `the record at offset ${offset} of ${topic}/${partition} is lost: ${why}`, {
    topic,
    partition,
    offset,
    resumeAt: offset + 1,
  });
}
