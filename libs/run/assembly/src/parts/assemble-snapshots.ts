import { join } from 'node:path';
import { LocalDisk } from '@tidemark/node-runtime';
import { objectPlace, objectPlaceText } from '@tidemark/object-storage';
import type { Settings } from '@tidemark/settings';
import { SnapshotSchedule, SnapshotThread } from '@tidemark/snapshots';
import type { StoreWorkers } from '@tidemark/store-workers';
import type { StorePorts } from './store-ports.ts';

/** The thread that makes and restores the snapshots of a process; undefined without an object store. */
export function snapshotThread(
  { folder, name, clock }: Pick<StorePorts, 'folder' | 'name' | 'clock'>,
  settings: Settings,
): SnapshotThread | undefined {
  const place = objectPlace(settings);
  if (place === undefined) return undefined;
  return new SnapshotThread({ place, folder, user: name }, clock);
}

/** Starts to make snapshots of the stores of a process with `thread`. */
export function assembleSnapshots(
  ports: StorePorts & { readonly stores: StoreWorkers; readonly thread: SnapshotThread },
  settings: Settings,
): SnapshotSchedule {
  const { folder, stores, thread, kinds, owned, clock, random, events, health, started, isLogNearLimit } = ports;
  const schedule = new SnapshotSchedule(
    {
      ...{ stores, thread, clock, random, events, health },
      places: owned.flatMap((partition) => kinds.map((kind) => ({ kind, partition }))),
      disk: new LocalDisk(folder),
      pathOf: (path) => join(folder, path),
      isUrgent: isLogNearLimit,
    },
    settings.snapshot,
  );
  const place = objectPlace(settings);
  const { intervalMs } = settings.snapshot;
  if (place !== undefined && intervalMs > 0)
    events.info('making snapshots', { to: objectPlaceText(place), intervalMs });
  schedule.start();
  started.add(() => schedule.stop());
  return schedule;
}
