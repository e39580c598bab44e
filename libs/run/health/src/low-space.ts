import type { Volume } from '@tidemark/contract';
import type { ProblemCause } from './problem.ts';

const LOW_BYTES = 512 * 1024 * 1024;
const LOW_SHARE = 0.02;
const MIB = 1024 * 1024;

/** Returns the problem of a volume that is nearly full: below 512 MiB, or below 2% of a small volume. */
export function lowSpace({ folder, freeBytes, totalBytes }: Volume): ProblemCause | undefined {
  if (freeBytes >= Math.min(LOW_BYTES, totalBytes * LOW_SHARE)) return undefined;
  const message = `${Math.floor(freeBytes / MIB)} MiB of ${Math.floor(totalBytes / MIB)} MiB are free for ${folder}`;
  return { code: 'resource_exhausted', message };
}
