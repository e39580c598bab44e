import type { ClientStats } from '@tidemark/client';
import type { AggregateReply, AggregateRequest, MatchReply, MatchRequest } from '@tidemark/contract';
import type { IntakeSession, LaneTiming } from '@tidemark/intake';
import type { PartitionMap } from '@tidemark/model';
import type { Clock, Disk, KeyValue, Log } from '@tidemark/ports';
import type { QueryReader, QueryServiceLimits } from '@tidemark/query';

/** A share of a batch on its way from a client's stream to a lane. */
export type OfferedShare = Parameters<IntakeSession['offer']>[1];
export type Offer = (partition: number, share: OfferedShare) => boolean;

export type Aggregate = (request: AggregateRequest) => Promise<AggregateReply>;
export type Match = (request: MatchRequest) => MatchReply;

/**
 * Decorators between two parts, for sabotages. Each gets the product's part and returns its replacement; the product
 * itself does not know of them.
 */
export interface Wiring {
  /** The disk of a broker, once for each of its processes. */
  logDisk(disk: Disk): Disk;
  /** The log to which an intake appends. */
  intakeLog(log: Log, clock: Clock): Log;
  /** The log from which an intake reads `control`. */
  intakeControl(log: Log): Log;
  /** The log that a store reads. */
  storeLog(log: Log, store: string): Log;
  /** The key-value store of the stores' state. */
  keyValue(keyValue: KeyValue, clock: Clock): KeyValue;
  /** The route of a share to its lane. */
  offer(session: IntakeSession, partition: number, share: OfferedShare, offer: Offer): boolean;
  timing(timing: LaneTiming): LaneTiming;
  /** The answers of a point store. */
  aggregate(aggregate: Aggregate, store: string): Aggregate;
  /** The answers of a tag store. */
  match(match: Match): Match;
  /** The maps that queries use to find owners. */
  maps(maps: readonly PartitionMap[]): readonly PartitionMap[];
  /** The disk of a client, once for each of its processes. */
  clientDisk(disk: Disk): Disk;
  /** What a client counts. */
  clientStats(stats: ClientStats): ClientStats;
  /** The limits of queries. */
  queryLimits(limits: Partial<QueryServiceLimits>): Partial<QueryServiceLimits>;
  /** The stores that answer queries. */
  query(reader: QueryReader): QueryReader;
}

/** Decorators that change nothing. */
export const HONEST: Wiring = {
  logDisk: (disk) => disk,
  intakeLog: (log) => log,
  intakeControl: (log) => log,
  storeLog: (log) => log,
  keyValue: (keyValue) => keyValue,
  offer: (_, partition, share, offer) => offer(partition, share),
  timing: (timing) => timing,
  aggregate: (aggregate) => aggregate,
  match: (match) => match,
  maps: (maps) => maps,
  clientDisk: (disk) => disk,
  clientStats: (stats) => stats,
  queryLimits: (limits) => limits,
  query: (reader) => reader,
};
