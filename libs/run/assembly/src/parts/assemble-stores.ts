import { type ProcessHealth, watchStores } from '@tidemark/health';
import type { Events, Topic } from '@tidemark/ports';
import type { Started } from '@tidemark/server';
import type { Settings } from '@tidemark/settings';
import type { StoreKind } from '@tidemark/store-rpc';
import { type StoreLog, type StoreProblem, StoreWorkers } from '@tidemark/store-workers';
import type { StoreReadiness } from './store-readiness.ts';

export interface StorePorts {
  /** Folder of the databases. */
  readonly folder: string;
  readonly log: StoreLog;
  readonly kinds: readonly StoreKind[];
  readonly owned: readonly number[];
  /** How many files one database may have open; that of RocksDB's adapter when omitted. */
  readonly openFiles: number | undefined;
  readonly events: Events;
  /** Receives what each store has of which log, before `ready` of the stores resolves. */
  readonly onOpened?: (topic: Topic, partition: number, offset: number, logId: string | undefined) => void;
  /** Receives each offset below which a store no longer needs the log. */
  readonly onTrimmable?: (topic: Topic, partition: number, offset: number) => void;
  /** Receives the progress of each partition. */
  readonly readiness?: StoreReadiness;
  readonly health: ProcessHealth;
  readonly started: Pick<Started, 'add'>;
}

/**
 * Starts the stores of a process on their threads, watched by `health`; `ready` of the result waits until they are
 * open, and they read from `start` of the result on.
 */
export function assembleStores(ports: StorePorts, settings: Settings): StoreWorkers {
  const { folder, log, kinds, owned, openFiles, events, health, started, readiness } = ports;
  const { threads, ...limits } = settings.store;
  const watched = watchStores(health, events);
  const stores = new StoreWorkers({
    ...{ folder, log, kinds, owned, threads, limits, openFiles },
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
  health.watchThreads(() => stores.threads);
  health.watchMemory(() => stores.memory);
  return stores;
}
