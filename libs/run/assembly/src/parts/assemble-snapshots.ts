import { join } from 'node:path';
import { LocalDisk } from '@tidemark/node-runtime';
import { type ObjectPlace, objectPlaceText } from '@tidemark/object-storage';
import type { Settings } from '@tidemark/settings';
import { SnapshotSchedule, type SnapshotThread } from '@tidemark/snapshots';
import type { StoreWorkers } from '@tidemark/store-workers';
import type { StorePorts } from './store-ports.ts';

/** What makes the snapshots of a process, and where. */
interface SnapshotPorts extends StorePorts {
  readonly stores: StoreWorkers;
  readonly thread: SnapshotThread;
  readonly place: ObjectPlace;
}

/** Starts to make snapshots of the stores of a process. */
export function assembleSnapshots(ports: SnapshotPorts, { snapshot }: Pick<Settings, 'snapshot'>): SnapshotSchedule {
  const { folder, stores, thread, place, kinds, owned, clock, random, events, health, started, isLogNearLimit } = ports;
  const schedule = new SnapshotSchedule(
    {
      ...{ stores, thread, clock, random, events, health },
      places: owned.flatMap((partition) => kinds.map((kind) => ({ kind, partition }))),
      disk: new LocalDisk(folder),
      pathOf: (path) => join(folder, path),
      isUrgent: isLogNearLimit,
    },
    snapshot,
  );
  const { intervalMs } = snapshot;
  if (intervalMs > 0) events.info('making snapshots', { to: objectPlaceText(place), intervalMs });
  schedule.start();
  started.add(() => schedule.stop());
  return schedule;
}
