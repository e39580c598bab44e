import { TidemarkError } from '@tidemark/ports';

/** Threads, listening sockets, the event loop, the agent, and some connections. */
const OF_PROCESS = 80;
/** Of one database: its lock, log, manifest, folders and write-ahead log. */
const OF_DATABASE = 6;
/** Tables of one database: RocksDB keeps no fewer open. */
const MIN_TABLES = 10;
/** What RocksDB counts into its own limit in addition to tables. */
const BESIDES_TABLES = 10;
const MAX_TABLES = 502;
/** Of one partition of the embedded log: the segment that is written, and those that are read. */
const OF_LOG_PARTITION = 3;
/** The share of the limit that is left to connections and to segments that are read. */
const CONNECTIONS_SHARE = 1 / 4;

/** What a process keeps open. */
export interface OpenFilesPlan {
  readonly databases: number;
  /** Partitions of an embedded log; 0 with another log. */
  readonly logPartitions: number;
}

/**
 * Checks that a process may open as many files as it needs to start and to work. `limit` is undefined where it is not
 * known. Throws `failed_precondition` with the number that is needed: running out later would end databases.
 */
export function requireOpenFiles(limit: number | undefined, plan: OpenFilesPlan): void {
  const needed = fixed(plan) + plan.databases * MIN_TABLES;
  if (limit === undefined || limit >= needed) return;
  const message =
    `${limit} open files are allowed, and ${plan.databases} databases need ${needed}: raise the limit (ulimit -n, ` +
    'LimitNOFILE of systemd, --ulimit nofile of a container), or create the data folder with fewer partitions';
  throw new TidemarkError('failed_precondition', message, { limit, needed });
}

/** How many files one database may have open, as RocksDB counts them; undefined for its default. */
export function openFilesPerDatabase(limit: number | undefined, plan: OpenFilesPlan): number | undefined {
  if (limit === undefined) return undefined;
  const left = limit * (1 - CONNECTIONS_SHARE) - fixed(plan);
  const tables = Math.floor(left / Math.max(1, plan.databases));
  return Math.min(MAX_TABLES, Math.max(MIN_TABLES, tables)) + BESIDES_TABLES;
}

function fixed({ databases, logPartitions }: OpenFilesPlan): number {
  return OF_PROCESS + databases * OF_DATABASE + logPartitions * OF_LOG_PARTITION;
}
