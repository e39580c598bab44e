import { join } from 'node:path';
import { LocalDisk } from '@tidemark/node-runtime';
import { type ObjectPlace, objectPlaceText } from '@tidemark/object-storage';
import type { Settings } from '@tidemark/settings';
import { ArchiveSchedule, SnapshotSchedule, type SnapshotThread } from '@tidemark/snapshots';
import type { StoreWorkers } from '@tidemark/store-workers';
import type { StorePorts } from './store-ports.ts';

/** What makes the snapshots of a process, and where. */
interface SnapshotPorts extends StorePorts {
  readonly stores: StoreWorkers;
  readonly thread: SnapshotThread;
  readonly place: ObjectPlace;
}

/** Starts to make snapshots of the stores of a process, and to archive the closed days of its point stores. */
export function assembleSnapshots(
  ports: SnapshotPorts,
  { snapshot, archive, store: { threads: _, ...limits } }: Pick<Settings, 'snapshot' | 'archive' | 'store'>,
): SnapshotSchedule {
  const { folder, stores, thread, place, kinds, owned, clock, random, events, health, started, isLogNearLimit } = ports;
  const copies = { disk: new LocalDisk(folder), pathOf: (path: string) => join(folder, path) };
  const parts = { ...copies, stores, thread, clock, random, events, health };
  const places = owned.flatMap((partition) => kinds.map((kind) => ({ kind, partition })));
  const schedule = new SnapshotSchedule({ ...parts, places, isUrgent: isLogNearLimit }, snapshot);
  const { intervalMs } = snapshot;
  if (intervalMs > 0) events.info('making snapshots', { to: objectPlaceText(place), intervalMs });
  schedule.start();
  started.add(() => schedule.stop());
  if (archive.intervalMs > 0 && kinds.includes('points')) {
    const days = new ArchiveSchedule({ ...parts, partitions: owned, limits }, archive);
    days.start();
    started.add(() => days.stop());
  }
  return schedule;
}
