/** A lock of the operating system on a file. It ends with the process, however that ends. */
export interface KernelLock {
  release(): void;
}

/** Keeps what holds a lock from the garbage collector, which would end it: a lock belongs to the process, not to a part. */
const KEPT = new Set<object>();
/** SQLite's result code of a file that another connection has locked. */
const SQLITE_BUSY = 5;

/**
 * Locks `file`, which is created empty and stays empty. Returns `held` when another process has the lock, also one that
 * this process cannot see, such as one of another container with the same volume. Returns undefined where there is no
 * such lock: Node before 22, and file systems without locks.
 *
 * Node has no flock(2) and no fcntl(2), but SQLite, which is part of it, locks its database by fcntl; an exclusive
 * transaction that writes nothing is that lock alone.
 */
export function lockByKernel(file: string): KernelLock | 'held' | undefined {
  // A static import would end programs on a Node without the module.
  const sqlite = process.getBuiltinModule?.('node:sqlite');
  if (sqlite === undefined) return undefined;
  let database: InstanceType<typeof sqlite.DatabaseSync> | undefined;
  try {
    database = new sqlite.DatabaseSync(file);
    // Without a journal on disk there is no second file.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    const held = database;
    KEPT.add(held);
    const release = (): void => {
      KEPT.delete(held);
      held.close();
    };
    return { release };
  } catch (error) {
    database?.close();
    return isBusy(error) ? 'held' : undefined;
  }
}

function isBusy(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'errcode' in error && error.errcode === SQLITE_BUSY;
}
