import type { FileHandle } from 'node:fs/promises';
import type { DiskFile } from '@tidemark/ports';
import { diskError } from './disk-error.ts';
import { assertInPlace, type Place } from './place.ts';

/** An open file of the local file system. */
export class LocalFile implements DiskFile {
  readonly #handle: FileHandle;
  readonly #path: string;
  #place: Place | undefined;

  constructor(handle: FileHandle, path: string) {
    this.#handle = handle;
    this.#path = path;
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    let done = 0;
    try {
      while (done < target.length) {
        const { bytesRead } = await this.#handle.read(target, done, target.length - done, position + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
    } catch (error) {
      throw diskError(error, 'read', this.#path);
    }
    return done;
  }

  async write(source: Uint8Array, position: number): Promise<void> {
    let done = 0;
    try {
      while (done < source.length) {
        const { bytesWritten } = await this.#handle.write(source, done, source.length - done, position + done);
        done += bytesWritten;
      }
    } catch (error) {
      throw diskError(error, 'write', this.#path);
    }
  }

  /**
   * Syncs with fdatasync(2), which covers the size as well. On macOS Node uses F_FULLFSYNC, which reaches the medium.
   * Throws `unavailable` when the file was moved, deleted or replaced meanwhile: then its writes are not durable.
   */
  async sync(): Promise<void> {
    try {
      await this.#handle.datasync();
      this.#place ??= await this.#handle.stat({ bigint: true });
      await assertInPlace(this.#path, this.#place);
    } catch (error) {
      throw diskError(error, 'sync', this.#path);
    }
  }

  async truncate(sizeBytes: number): Promise<void> {
    try {
      await this.#handle.truncate(sizeBytes);
    } catch (error) {
      throw diskError(error, 'truncate', this.#path);
    }
  }

  async sizeBytes(): Promise<number> {
    try {
      return (await this.#handle.stat()).size;
    } catch (error) {
      throw diskError(error, 'read the size of', this.#path);
    }
  }

  async close(): Promise<void> {
    try {
      await this.#handle.close();
    } catch (error) {
      throw diskError(error, 'close', this.#path);
    }
  }
}
