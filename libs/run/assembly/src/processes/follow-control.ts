import { ControlFollower } from '@tidemark/control-log';
import type { PartitionMap } from '@tidemark/model';
import { isTidemarkError, type Log, sleep, TidemarkError } from '@tidemark/ports';
import type { ServiceContext } from './service-context.ts';
import type { ServiceHost } from './service-host.ts';

const RETRY_MS = 1000;
/** Errors of a log that is unreachable, or whose brokers do not all know a new topic yet. */
export const PASSING: ReadonlySet<string> = new Set(['unavailable', 'deadline_exceeded', 'not_found']);
const MAP_MS = 200;

/**
 * Follows `control` from its beginning; retries while the log can't be read, with the error as the readiness reason.
 */
export async function followControl(host: ServiceHost, context: ServiceContext, log: Log): Promise<ControlFollower> {
  const { clock } = context;
  for (;;) {
    const control = new ControlFollower(log, clock);
    try {
      await control.start();
      host.add(() => control.stop());
      return control;
    } catch (error) {
      await control.stop();
      if (!isTidemarkError(error) || !PASSING.has(error.code)) throw error;
      await waitBecause(host, context, `control can't be read: ${error.message}`, RETRY_MS);
    }
  }
}

/** Waits for the first partition map that a coordinator decides, and returns it. */
export async function firstMap(
  host: ServiceHost,
  context: ServiceContext,
  control: ControlFollower,
): Promise<PartitionMap> {
  for (;;) {
    const { map } = control.state;
    if (map !== undefined) return map;
    await waitBecause(host, context, 'no partition map was decided yet; check that the coordinator runs', MAP_MS);
  }
}

/** Waits for `delayMs` with `reason` as the readiness reason. Error: `cancelled` when the process must stop. */
export async function waitBecause(
  host: ServiceHost,
  { clock, stopping, events }: ServiceContext,
  reason: string,
  delayMs: number,
): Promise<void> {
  if (host.notReady !== reason) events.info(`waiting: ${reason}`);
  host.setReadiness(() => reason);
  await sleep(clock, delayMs, stopping);
  if (stopping.aborted) throw new TidemarkError('cancelled', 'the process was stopped while it started');
}
