import { watchStores } from '@tidemark/health';
import { objectPlace } from '@tidemark/object-storage';
import type { Topic } from '@tidemark/ports';
import type { Settings } from '@tidemark/settings';
import { type SnapshotSchedule, SnapshotThread } from '@tidemark/snapshots';
import { type StoreProblem, StoreWorkers } from '@tidemark/store-workers';
import { assembleSnapshots } from './assemble-snapshots.ts';
import type { StorePorts } from './store-ports.ts';

/** The stores of a process, and what makes snapshots of them; undefined without an object store. */
export interface AssembledStores {
  readonly stores: StoreWorkers;
  readonly snapshots: SnapshotSchedule | undefined;
  readonly snapshotThread: SnapshotThread | undefined;
}

/**
 * Starts the stores of a process on their threads, watched by `health`; `ready` of the stores waits until they are
 * open, and they read from their `start` on. With an object store, snapshots of them are made.
 */
export function assembleStores(ports: StorePorts, settings: Settings): AssembledStores {
  const { folder, log, kinds, owned, openFiles, events, health, started, readiness } = ports;
  const { threads, ...limits } = settings.store;
  const watched = watchStores(health, events);
  const place = objectPlace(settings);
  const thread = place && new SnapshotThread({ place, folder, user: ports.name }, ports.clock);
  const stores = new StoreWorkers({
    ...{ folder, log, kinds, owned, threads, limits, openFiles },
    hasSnapshots: thread !== undefined && settings.snapshot.intervalMs > 0,
    canRestore: thread !== undefined,
    ...(thread && { restore: (request) => thread.restore(request) }),
    latenessMs: settings.completeness.latenessMs,
    ...(ports.onOpened && { onOpened: ports.onOpened }),
    onTrimmable: ports.onTrimmable ?? (() => undefined),
    ...watched,
    onCaughtUp: (topic, partition) => readiness?.caughtUp(`${topic}/${partition}`),
    onHalted: (topic: Topic, partition: number, offset: number, reason: string) => {
      watched.onHalted(topic, partition, offset, reason);
      readiness?.halted(`${topic}/${partition}`, reason);
    },
    onResumed: (topic: Topic, partition: number) => {
      watched.onResumed(topic, partition);
      readiness?.halted(`${topic}/${partition}`, undefined);
    },
    onProblem: (topic: Topic, partition: number, problem: StoreProblem | undefined) => {
      watched.onProblem(topic, partition, problem);
      readiness?.failing(`${topic}/${partition}`, problem);
    },
  });
  started.add(() => stores.stop());
  const snapshots = place && thread && assembleSnapshots({ ...ports, stores, thread, place }, settings);
  health.watchThreads(() => stores.threads);
  health.watchMemory(() => stores.memory);
  return { stores, snapshots, snapshotThread: thread };
}
