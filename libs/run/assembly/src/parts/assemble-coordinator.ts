import type { ControlFollower } from '@tidemark/control-log';
import { Coordinator, type CoordinatorOptions, type CountPartition, countSeries } from '@tidemark/coordinator';
import { type ProcessHealth, watchCoordinator } from '@tidemark/health';
import { dayOf } from '@tidemark/model';
import type { Clock, Log, Random } from '@tidemark/ports';
import type { Started } from '@tidemark/server';
import type { Settings } from '@tidemark/settings';

export interface CoordinatorPorts {
  readonly log: Log;
  readonly control: ControlFollower;
  readonly clock: Clock;
  readonly random: Random;
  /** Names the process in `control`: `coordinator 4711`. */
  readonly name: string;
  /** Counts the series of one partition that use up budgets. */
  readonly countPartition: CountPartition;
  readonly storePositions: NonNullable<CoordinatorOptions['storePositions']>;
  /** No other process tree can hold a session: those that are open in `control` at the start are fenced at once. */
  readonly isAlone: boolean;
  readonly health: ProcessHealth;
  readonly started: Pick<Started, 'add'>;
}

/** Starts the coordinator of a process, has `health` watch it, and adds its stop to `started`. */
export async function assembleCoordinator(ports: CoordinatorPorts, settings: Settings): Promise<Coordinator> {
  const { log, control, clock, random, name, countPartition, storePositions, isAlone, health, started } = ports;
  const { tenantSeries, metricSeries } = settings.budgets;
  const coordinator = new Coordinator({
    ...{ log, control, clock, random, tenantSeries, metricSeries, isAlone, storePositions },
    process: name,
    partitions: settings.data.partitions,
    seriesCounts: () => {
      const partitions = control.state.map?.partitions ?? 0;
      return countSeries(partitions, countPartition, metricSeries, dayOf(clock.wallMs()) - 1);
    },
  });
  await coordinator.start();
  started.add(() => coordinator.stop());
  watchCoordinator(health, coordinator, control);
  return coordinator;
}
