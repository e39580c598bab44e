import type { ProcessHealth } from '@tidemark/health';
import type { Clock, Events, Random, Topic } from '@tidemark/ports';
import type { Started } from '@tidemark/server';
import type { StoreKind } from '@tidemark/store-rpc';
import type { StoreLog } from '@tidemark/store-workers';
import type { StoreReadiness } from './store-readiness.ts';

/** What the stores of a process are made of. */
export interface StorePorts {
  /** Folder of the databases. */
  readonly folder: string;
  readonly log: StoreLog;
  readonly kinds: readonly StoreKind[];
  readonly owned: readonly number[];
  /** How many files one database may have open; that of RocksDB's adapter when omitted. */
  readonly openFiles: number | undefined;
  /** Names the process, for operators. */
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: Events;
  /** Whether the log, which is trimmed below snapshots only, takes a large part of what it may. */
  readonly isLogNearLimit?: () => boolean;
  /** Receives what each store has of which log, before `ready` of the stores resolves. */
  readonly onOpened?: (topic: Topic, partition: number, offset: number, logId: string | undefined) => void;
  /** Receives each offset below which a store no longer needs the log. */
  readonly onTrimmable?: (topic: Topic, partition: number, offset: number) => void;
  /** Receives the progress of each partition. */
  readonly readiness?: StoreReadiness;
  readonly health: ProcessHealth;
  readonly started: Pick<Started, 'add'>;
}
