import { type Disk, type DiskFile, TidemarkError } from '@tidemark/ports';
import { checkedRecord, encodeHeader, type SpoolHeader, type SpoolRecord } from './spool-format.ts';

/** The place of a record in the spool. */
export interface Place {
  readonly path: string;
  readonly position: number;
  readonly sizeBytes: number;
}

/** A spool file that is being written: appended to, never changed. */
export class SpoolFile {
  readonly path: string;
  readonly #file: DiskFile;
  /** Bytes written so far, without those of failed writes. */
  sizeBytes: number;

  private constructor(path: string, file: DiskFile, sizeBytes: number) {
    this.path = path;
    this.#file = file;
    this.sizeBytes = sizeBytes;
  }

  static async create(disk: Disk, path: string, header: Omit<SpoolHeader, 'version'>): Promise<SpoolFile> {
    const file = await disk.open(path, { create: true });
    try {
      const bytes = encodeHeader(header);
      await file.write(bytes, 0);
      return new SpoolFile(path, file, bytes.length);
    } catch (error) {
      await file.close().catch(() => {});
      throw error;
    }
  }

  async append(bytes: Uint8Array): Promise<void> {
    await this.#file.write(bytes, this.sizeBytes);
    this.sizeBytes += bytes.length;
  }

  sync(): Promise<void> {
    return this.#file.sync();
  }

  /** Never fails: durable records were synced before. */
  async close(): Promise<void> {
    await this.#file.close().catch(() => {});
  }
}

/** Reads the record at `place`. Errors: `data_loss`, and the disk's. */
export async function readPlace(disk: Disk, place: Place): Promise<SpoolRecord> {
  const file = await disk.open(place.path);
  try {
    const bytes = await readFully(file, place.position, place.sizeBytes);
    const record = checkedRecord(bytes);
    if (record === undefined) {
      throw new TidemarkError('data_loss', `spool ${place.path}: a bad record at byte ${place.position}`, {
        path: place.path,
        position: place.position,
      });
    }
    return record;
  } finally {
    await file.close().catch(() => {});
  }
}

/** Up to `sizeBytes` from `position`; fewer at the end of the file. */
export async function readFully(file: DiskFile, position: number, sizeBytes: number): Promise<Buffer> {
  const bytes = Buffer.alloc(sizeBytes);
  let length = 0;
  while (length < sizeBytes) {
    const count = await file.read(bytes.subarray(length), position + length);
    if (count === 0) break;
    length += count;
  }
  return bytes.subarray(0, length);
}
