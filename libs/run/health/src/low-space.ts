import type { Volume } from '@tidemark/contract';
import type { ProblemCause } from './problem.ts';

const LOW_BYTES = 512 * 1024 * 1024;
const LOW_SHARE = 0.02;
const MIB = 1024 * 1024;

/** A volume is nearly full below 512 MiB, or below a fiftieth of a small one. */
export function lowSpace({ folder, freeBytes, totalBytes }: Volume): ProblemCause | undefined {
  if (freeBytes >= Math.min(LOW_BYTES, totalBytes * LOW_SHARE)) return undefined;
  const message = `${Math.floor(freeBytes / MIB)} MiB of ${Math.floor(totalBytes / MIB)} MiB are left for ${folder}`;
  return { code: 'resource_exhausted', message };
}
