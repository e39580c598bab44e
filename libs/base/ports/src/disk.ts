/**
 * A folder of files, the only way to a disk. Paths are relative to the folder, `/`-separated. Every operating failure
 * is a TidemarkError: `resource_exhausted` (disk full or file too large), `not_found`, `already_exists`,
 * `permission_denied`, `unavailable` (an I/O error).
 */
export interface Disk {
  /** Opens a file; with `create`, creates it and its parents if it does not exist. */
  open(path: string, options?: { create?: boolean }): Promise<DiskFile>;
  /** Names of the entries of a folder, sorted; empty when the folder does not exist. */
  list(path: string): Promise<string[]>;
  /** Renames atomically, replacing `to`, and makes the rename durable. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file or a whole folder, durably; no error when it does not exist. */
  remove(path: string): Promise<void>;
  /**
   * Locks the folder for this process until `release`. `failed_precondition` when another process has it.
   */
  lock(path: string): Promise<DiskLock>;
  /** Free and total bytes of the volume. */
  space(): Promise<{ freeBytes: number; totalBytes: number }>;
}

export interface DiskLock {
  release(): Promise<void>;
}

/** An open file. Writes are not durable before `sync` resolves; a failed write may have written any prefix. */
export interface DiskFile {
  /** Reads up to `target.length` bytes at `position`; resolves to the number of bytes read (0 at the end). */
  read(target: Uint8Array, position: number): Promise<number>;
  /** Writes all of `source` at `position`, or throws. */
  write(source: Uint8Array, position: number): Promise<void>;
  /**
   * Makes all resolved writes durable, under the path of the file: `unavailable` when that no longer names the file. After a
   * failed sync the file's durable content is unknown.
   */
  sync(): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  sizeBytes(): Promise<number>;
  close(): Promise<void>;
}
