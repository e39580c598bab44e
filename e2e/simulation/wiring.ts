import type { AggregateReply, AggregateRequest } from '@tidemark/contract';
import type { IntakeSession, LaneTiming } from '@tidemark/intake';
import type { PartitionMap } from '@tidemark/model';
import type { Clock, KeyValue, Log } from '@tidemark/ports';
import type { QueryReader } from '@tidemark/query';

/** A share of a batch on its way from a client's stream to a lane. */
export type OfferedShare = Parameters<IntakeSession['offer']>[1];
export type Offer = (partition: number, share: OfferedShare) => boolean;

export type Aggregate = (request: AggregateRequest) => Promise<AggregateReply>;

/**
 * The places of the wiring where a sabotage may sit between two parts. Each takes what the product has there and hands
 * out what is used instead; the product itself knows nothing of it.
 */
export interface Wiring {
  /** What an intake appends through. */
  intakeLog(log: Log, clock: Clock): Log;
  /** What an intake reads `control` from. */
  intakeControl(log: Log): Log;
  /** What a store reads. */
  storeLog(log: Log, store: string): Log;
  /** What the stores keep their state in. */
  keyValue(keyValue: KeyValue, clock: Clock): KeyValue;
  /** How a share gets into its lane. */
  offer(session: IntakeSession, partition: number, share: OfferedShare, offer: Offer): boolean;
  timing(timing: LaneTiming): LaneTiming;
  /** How a point store answers. */
  aggregate(aggregate: Aggregate, store: string): Aggregate;
  /** The maps by which queries find the owners. */
  maps(maps: readonly PartitionMap[]): readonly PartitionMap[];
  /** Who answers queries. */
  query(reader: QueryReader): QueryReader;
}

/** Everything as it should be. */
export const HONEST: Wiring = {
  intakeLog: (log) => log,
  intakeControl: (log) => log,
  storeLog: (log) => log,
  keyValue: (keyValue) => keyValue,
  offer: (_, partition, share, offer) => offer(partition, share),
  timing: (timing) => timing,
  aggregate: (aggregate) => aggregate,
  maps: (maps) => maps,
  query: (reader) => reader,
};
