import type { ReplicaPosition } from '@tidemark/contract';
import { FIRST_ERA } from '@tidemark/model';
import type { PositionsReader } from '@tidemark/store-rpc';
import type { ReplicaLimits } from './replica-limits.ts';
import type { StoreProcess } from './store-process.ts';

export interface OrderedReplica<Process> {
  readonly process: Process;
  /** It is about as far as the most advanced replica, so its answer is as good. */
  readonly isLevel: boolean;
}

/** Replicas of a lower rank are asked first. */
const RANK = { following: 0, unknown: 1, halted: 2, outvoted: 3, notOwner: 4, lost: 5 } as const;

/**
 * Orders the processes of a partition, the best first: those that follow the log by era, watermark, then offset; among
 * equals by fewest requests in flight, then by turns (`turn` is any number that changes). Then those that were not
 * polled yet, halted ones, those that the majority contradicts, those that report not to own it, and last those that
 * are lost.
 */
export function orderReplicas<Process extends StoreProcess<PositionsReader>>(
  own: readonly Process[],
  partition: number,
  limits: Pick<ReplicaLimits, 'hedgeLagMs' | 'hedgeLagRecords'>,
  turn: number,
  isOutvoted: (process: Process) => boolean = () => false,
): OrderedReplica<Process>[] {
  const places = own.map((process, i) => ({
    process,
    rank: rankOf(process, partition, isOutvoted(process)),
    position: process.positions.get(partition),
    turn: (i + turn) % own.length,
  }));
  places.sort(
    (a, b) =>
      a.rank - b.rank ||
      compareProgress(b.position, a.position) ||
      a.process.inFlight - b.process.inFlight ||
      a.turn - b.turn,
  );
  const [best] = places;
  return places.map(({ process, rank, position }) => ({
    process,
    isLevel: rank <= RANK.unknown && !isBehind(position, best.position, limits),
  }));
}

function rankOf(process: StoreProcess<PositionsReader>, partition: number, isOutvoted: boolean): number {
  if (process.state === 'unknown') return RANK.unknown;
  if (process.state === 'lost') return RANK.lost;
  const position = process.positions.get(partition);
  if (position === undefined) return RANK.notOwner;
  if (isOutvoted) return RANK.outvoted;
  return position.halted === '' ? RANK.following : RANK.halted;
}

/** Returns a negative number when `a` is behind `b`. */
function compareProgress(a: ReplicaPosition | undefined, b: ReplicaPosition | undefined): number {
  const eras = eraOf(a) - eraOf(b);
  const watermarks = (a?.watermarkMs ?? Number.MIN_SAFE_INTEGER) - (b?.watermarkMs ?? Number.MIN_SAFE_INTEGER);
  return eras || watermarks || (a?.offset ?? -1) - (b?.offset ?? -1);
}

/** A watermark of an earlier era may be of a wrong time, however high it is. */
function eraOf(position: ReplicaPosition | undefined): number {
  return position?.era ?? FIRST_ERA;
}

function isBehind(
  position: ReplicaPosition | undefined,
  best: ReplicaPosition | undefined,
  { hedgeLagMs, hedgeLagRecords }: Pick<ReplicaLimits, 'hedgeLagMs' | 'hedgeLagRecords'>,
): boolean {
  if (position === undefined || best === undefined) return false;
  if (eraOf(position) < eraOf(best)) return true;
  if (best.watermarkMs === undefined) return position.offset < best.offset - hedgeLagRecords;
  return position.watermarkMs === undefined || position.watermarkMs < best.watermarkMs - hedgeLagMs;
}
