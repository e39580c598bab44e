import { ControlFollower } from '@tidemark/control-log';
import type { PartitionMap } from '@tidemark/model';
import { isTidemarkError, type Log, sleep, TidemarkError } from '@tidemark/ports';
import type { ServiceContext } from './service-context.ts';
import type { ServiceHost } from './service-host.ts';

const RETRY_MS = 1000;
/** Errors of a log that is away, or whose brokers have not all heard of a new topic. */
export const PASSING: ReadonlySet<string> = new Set(['unavailable', 'deadline_exceeded', 'not_found']);
const MAP_MS = 200;

/** Follows `control` from its beginning; as long as the log can't be read it tries again, and readiness says why. */
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

/** The partition map, once a coordinator has decided one. */
export async function firstMap(
  host: ServiceHost,
  context: ServiceContext,
  control: ControlFollower,
): Promise<PartitionMap> {
  for (;;) {
    const { map } = control.state;
    if (map !== undefined) return map;
    await waitBecause(host, context, 'no partition map was decided yet: is the coordinator up?', MAP_MS);
  }
}

/** Waits a while, saying why; throws `cancelled` when the process is to stop. */
export async function waitBecause(
  host: ServiceHost,
  { clock, stopping, events }: ServiceContext,
  reason: string,
  delayMs: number,
): Promise<void> {
  if (host.notReady !== reason) events.info(`waiting: ${reason}`);
  host.setReadiness(() => reason);
  await sleep(clock, delayMs, stopping);
  if (stopping.aborted) throw new TidemarkError('cancelled', 'the process was told to stop while it started');
}
