import type { Platform } from '@tidemark/platform';
import { isTidemarkError } from '@tidemark/ports';
import type { EventLog } from '@tidemark/process';
import { LocalDisk } from '@tidemark/system';

const EVERY_MS = 2000;
const LOW_BYTES = 512 * 1024 * 1024;
const LOW_SHARE = 0.02;

/** Says in the log when the platform can't take points, or soon won't, and when it can again; returns how to stop. */
export function watchHealth(platform: Platform, folder: string, log: EventLog): () => void {
  const disk = new LocalDisk(folder);
  const known = new Map<string, string>();
  const judge = (what: string, problem: string | undefined): void => {
    const before = known.get(what);
    if (problem === undefined) known.delete(what);
    else known.set(what, problem);
    if (problem !== undefined && before === undefined) log.error({ reason: problem }, what);
    if (problem === undefined && before !== undefined) log.info(`over: ${what}`);
  };
  const look = async (): Promise<void> => {
    judge('the intake takes no points', platform.intake.session?.problem);
    judge('the coordinator can not decide', platform.coordinator.problem);
    judge('the control log can not be read', platform.control.problem);
    judge('the disk is nearly full', await spaceProblem(disk));
  };
  const timer = setInterval(() => void look(), EVERY_MS);
  return () => clearInterval(timer);
}

async function spaceProblem(disk: LocalDisk): Promise<string | undefined> {
  try {
    const { freeBytes, totalBytes } = await disk.space();
    if (freeBytes >= Math.min(LOW_BYTES, totalBytes * LOW_SHARE)) return undefined;
    return `${Math.floor(freeBytes / 1024 / 1024)} MiB are left for ${disk.folder}: free some space`;
  } catch (error) {
    if (!isTidemarkError(error)) throw error;
    return error.message;
  }
}
