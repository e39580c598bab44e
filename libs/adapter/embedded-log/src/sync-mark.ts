import { ByteReader, ByteWriter, crc32c } from '@tidemark/bytes';
import { type Disk, type DiskFile, isTidemarkError, type Topic } from '@tidemark/ports';
import { readAt } from './file-window.ts';
import { LOG_ID_BYTES, partitionFolder } from './segment-format.ts';

const SYNC_MARK_FILE = 'SYNCED';
const MAGIC = 0x4e595354; // "TSYN", little-endian
const MARK_BYTES = 72;
/** The slots lie in different sectors, so that a torn write damages one of them only. */
const SLOT_STEP_BYTES = 512;
const SLOTS = 2;
const FILE_BYTES = (SLOTS - 1) * SLOT_STEP_BYTES + MARK_BYTES;

/** How far a partition was synced at some moment. docs/formats/log.md has the byte diagram. */
export interface SyncMark {
  /** Id of the partition. */
  readonly id: Uint8Array;
  /** Every record below this offset was durable. */
  readonly next: number;
  /** No record at or above this offset was trimmed. */
  readonly first: number;
  /** Base, salt and head size of the segment that was written. */
  readonly base: number;
  readonly salt: number;
  readonly headerBytes: number;
  /** End of the last durable record in that segment. */
  readonly sizeBytes: number;
}

interface CountedMark extends SyncMark {
  readonly count: number;
}

/**
 * The sync marks of one partition: two slots that are overwritten in turns. A mark is written after the fsync that it
 * states and before the acknowledgement. It is not fsynced itself: a mark that a power loss takes back leaves the older
 * one, and no mark ever claims too much.
 */
export class SyncMarks {
  readonly #file: DiskFile;
  #count: number;
  /** The newest mark that was found when the file was opened. */
  readonly found: SyncMark | undefined;

  private constructor(file: DiskFile, newest: CountedMark | undefined) {
    this.#file = file;
    this.found = newest;
    this.#count = (newest?.count ?? 0) + 1;
  }

  /** Opens the file of a partition, and creates it when it does not exist. Errors: the disk's. */
  static async open(disk: Disk, topic: Topic, partition: number): Promise<SyncMarks> {
    const path = `${partitionFolder(topic, partition)}/${SYNC_MARK_FILE}`;
    const file = await disk.open(path, { create: true });
    try {
      const bytes = await readAt(file, 0, FILE_BYTES);
      let newest: CountedMark | undefined;
      for (let slot = 0; slot < SLOTS; slot++) {
        const mark = decode(bytes.subarray(slot * SLOT_STEP_BYTES, slot * SLOT_STEP_BYTES + MARK_BYTES));
        if (mark !== undefined && mark.count > (newest?.count ?? 0)) newest = mark;
      }
      return new SyncMarks(file, newest);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /**
   * Writes a mark, and returns whether it could. A failure is not one of the append, which is durable: the mark is missing then,
   * and recovery has the older one.
   */
  async write(mark: SyncMark): Promise<boolean> {
    const count = this.#count;
    try {
      await this.#file.write(encode({ ...mark, count }), (count % SLOTS) * SLOT_STEP_BYTES);
      // After a failure the next mark takes the same slot: the other one has the only good mark.
      this.#count++;
      return true;
    } catch (error) {
      if (!isTidemarkError(error)) throw error;
      return false;
    }
  }

  /** Makes the newest mark durable. Errors: the disk's. */
  async sync(): Promise<void> {
    await this.#file.sync();
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

function encode({ count, id, next, first, base, salt, headerBytes, sizeBytes }: CountedMark): Buffer {
  const out = new ByteWriter(MARK_BYTES);
  out.u32(MAGIC);
  out.u32(0);
  out.f64(count);
  out.f64(next);
  out.f64(base);
  out.f64(sizeBytes);
  out.u32(salt);
  out.u32(headerBytes);
  out.bytes(id);
  out.f64(first);
  out.patchU32(4, crc32c(out.view().subarray(8)));
  return out.take();
}

function decode(bytes: Buffer): CountedMark | undefined {
  if (bytes.length < MARK_BYTES || bytes.readUInt32LE(4) !== crc32c(bytes.subarray(8))) return undefined;
  const reader = new ByteReader(bytes, SYNC_MARK_FILE);
  if (reader.u32() !== MAGIC) return undefined;
  reader.skip(4);
  const [count, next, base, sizeBytes] = [reader.f64(), reader.f64(), reader.f64(), reader.f64()];
  const [salt, headerBytes] = [reader.u32(), reader.u32()];
  const id = Uint8Array.from(reader.bytes(LOG_ID_BYTES));
  const first = reader.f64();
  if (![count, next, base, sizeBytes, first].every((value) => Number.isSafeInteger(value) && value >= 0))
    return undefined;
  return { count, next, first, base, sizeBytes, salt, headerBytes, id };
}
