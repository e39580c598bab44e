import { resolve } from 'node:path';
import { SnapshotsService } from '@tidemark/contract';
import { followSkips } from '@tidemark/control-log';
import { watchControl } from '@tidemark/health';
import { LocalDisk, openFilesLimit, prepareDataFolder } from '@tidemark/node-runtime';
import { noPartitions } from '@tidemark/settings';
import { snapshotsService } from '@tidemark/snapshots';
import { addStoreService, type StoreKind } from '@tidemark/store-rpc';
import { type AssembledStores, assembleStores } from '../parts/assemble-stores.ts';
import { openFilesPerDatabase, requireOpenFiles } from '../parts/open-files.ts';
import { Pending } from '../parts/pending.ts';
import { StoreReadiness } from '../parts/store-readiness.ts';
import { clusterLogOptions, openClusterLog, untilAnswered } from './cluster-log.ts';
import { followControl } from './follow-control.ts';
import { keptLogId } from './kept-log-id.ts';
import type { Service, ServiceContext } from './service-context.ts';
import { type HostedService, ServiceHost } from './service-host.ts';

const LOCK_FILE = 'LOCK';

/** Starts a point store, which keeps the points of some partitions in its data folder and folds them for queries. */
export function startPointStore(context: ServiceContext): Promise<Service> {
  return startStore('points', context);
}

/**
 * Starts a tag store, which keeps the series and tags of some partitions in its data folder and matches them for
 * queries.
 */
export function startTagStore(context: ServiceContext): Promise<Service> {
  return startStore('tags', context);
}

/** Starts an aggregator, which reads the points of some partitions and reports how far they are complete. */
export function startAggregator(context: ServiceContext): Promise<Service> {
  return startStore('aggregator', context);
}

async function startStore(kind: StoreKind, context: ServiceContext): Promise<Service> {
  const { settings, events, clock, name, random } = context;
  const owned = settings.cluster.partitions;
  if (owned.length === 0) throw noPartitions();
  const folder = resolve(settings.data.folder);
  const pending = new Pending<AssembledStores>(kind === 'aggregator' ? 'the aggregator' : `the ${kind} store`);
  const hosted: HostedService = {
    isForPeers: true,
    register: (server) => {
      addStoreService(server, kind, async (method, request, signal) => {
        return pending.part.stores.answer(kind, method, request, signal);
      });
      // Callers of all services of this process are checked alike: `isForPeers`.
      const schedule = () => pending.part.snapshots;
      server.addService(
        SnapshotsService,
        snapshotsService(schedule, () => undefined, clock),
      );
    },
  };
  return ServiceHost.start(context, hosted, async (host) => {
    const plan = { databases: owned.length, logPartitions: 0 };
    const limit = await openFilesLimit();
    requireOpenFiles(limit, plan);
    await prepareDataFolder(folder);
    const disk = new LocalDisk(folder);
    const lock = await disk.lock(LOCK_FILE);
    host.add(() => lock.release());
    const { health } = host;
    health.watchVolume(folder, disk);
    const log = await openClusterLog(host, context);
    const control = await followControl(host, context, log);
    watchControl(health, control);
    const topic = kind === 'tags' ? 'tags' : 'points';
    const logId = await untilAnswered(host, context, () => keptLogId(disk, log, topic, owned[0]));
    const readiness = new StoreReadiness(owned.map((partition) => `${topic}/${partition}`));
    const assembled = assembleStores(
      {
        ...{ folder, name, clock, random, owned, events, readiness, health, started: host },
        ...{ openFiles: openFilesPerDatabase(limit, plan) },
        log: { kind: 'kafka', options: { ...(await clusterLogOptions(context)), topicIds: { [topic]: logId } } },
        kinds: [kind],
      },
      settings,
    );
    const { stores } = assembled;
    followSkips(control, (skip) => stores.skip(skip));
    stores.start();
    await stores.ready();
    pending.set(assembled);
    host.setReadiness(() => readiness.notReady);
  });
}
