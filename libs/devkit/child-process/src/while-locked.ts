import { mkdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { LocalDisk } from '@tidemark/node-runtime';
import { isTidemarkError } from '@tidemark/ports';

const RETRY_MS = 200;

/**
 * Runs `work` while this process has the lock of `folder`, which it makes. Throws `failed_precondition` when another
 * process has the lock for `waitMs`.
 */
export async function whileLocked(folder: string, waitMs: number, work: () => Promise<void>): Promise<void> {
  const deadlineMs = performance.now() + waitMs;
  await mkdir(folder, { recursive: true });
  for (;;) {
    try {
      const lock = await new LocalDisk(folder).lock('LOCK');
      try {
        return await work();
      } finally {
        await lock.release();
      }
    } catch (error) {
      const isHeld = isTidemarkError(error, 'failed_precondition') && 'pid' in error.detail;
      if (!isHeld || performance.now() > deadlineMs) throw error;
    }
    await delay(RETRY_MS);
  }
}
