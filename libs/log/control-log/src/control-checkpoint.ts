import type { KeyInfo } from '@tidemark/access';
import { ownCopy, toHex } from '@tidemark/bytes';
import type { Checkpoint, CheckpointSession } from '@tidemark/contract';
import { type PartitionMap, packSlots, unpackSlots } from '@tidemark/model';
import { PROTOCOL_TIMES } from '@tidemark/model/protocol-times';
import { TidemarkError } from '@tidemark/ports';
import {
  applyBudget,
  applyKey,
  applySkip,
  budgetOf,
  type DeadLaneInfo,
  type FenceInfo,
  fenceKey,
  type HaltInfo,
  haltKey,
  type LostControlInfo,
  type SessionInfo,
  type SkipInfo,
} from './control-entries.ts';
import { Eras } from './eras.ts';
import { KeyTable } from './key-table.ts';

/** Content of a ControlState that a checkpoint carries. */
export interface CheckpointContent {
  readonly term: number;
  readonly termOffset: number;
  readonly throughMs: number;
  readonly eras: Eras;
  /** Maps by epoch, ascending. */
  readonly maps: ReadonlyMap<number, PartitionMap>;
  /** Time from which a map is in force, ms, by epoch. */
  readonly inForceMs: ReadonlyMap<number, number>;
  readonly sessions: ReadonlyMap<string, SessionInfo>;
  readonly fences: ReadonlyMap<string, FenceInfo>;
  readonly deadLanes: ReadonlyMap<string, DeadLaneInfo>;
  readonly skips: ReadonlyMap<string, SkipInfo>;
  readonly overBudget: ReadonlyMap<string, number>;
  readonly keys: ReadonlyMap<string, KeyInfo>;
  readonly wereKeysCreated: boolean;
  readonly lost: readonly LostControlInfo[];
  readonly halts: ReadonlyMap<string, HaltInfo>;
}

/**
 * Builds the checkpoint of `content` for the record at `offset`. It omits sessions that ended, and fences that were
 * completed, more than `PROTOCOL_TIMES.controlRetentionMs` before the newest record, by the log's clock.
 */
export function toCheckpoint(content: CheckpointContent, offset: number): Checkpoint {
  const { term, termOffset, throughMs } = content;
  const oldestMs = throughMs - PROTOCOL_TIMES.controlRetentionMs;
  const isKept = (endMs: number | undefined) => endMs === undefined || endMs >= oldestMs;
  return {
    ...{ term, offset, termOffset, throughMs, part: 0, parts: 0 },
    eras: [...content.eras.list],
    maps: [...content.maps.values()].map((map) => ({ ...map, slots: packSlots(map) })),
    mapsInForceMs: [...content.maps.keys()].map((epoch) => content.inForceMs.get(epoch) ?? Number.POSITIVE_INFINITY),
    sessions: [...content.sessions.values()]
      .filter(({ endedMs }) => isKept(endedMs))
      .map(({ session, process, state, renewedMs, endedMs }) => {
        return { session: Buffer.from(session), process, state, renewedMs, endedMs };
      }),
    fences: [...content.fences.values()]
      .filter(({ completedMs }) => isKept(completedMs))
      .map(({ offset: at, session, lane, reason, completedMs }) => {
        return { offset: at, session: Buffer.from(session), lane, reason, completedMs };
      }),
    deadLanes: [...content.deadLanes.values()].map((lane) => ({ ...lane, session: Buffer.from(lane.session) })),
    skips: [...content.skips.values()].map((skip) => ({ term, ...skip })),
    overBudget: [...content.overBudget].map(([key, limit]) => ({ term, ...budgetOf(key), limit, over: true })),
    keys: [...content.keys].map(([hash, { tenant, name, scopes }]) => {
      return { term, tenant, name, keyHash: Buffer.from(hash, 'hex'), scopes: [...scopes], revoked: false };
    }),
    keysRevoked: content.wereKeysCreated && content.keys.size === 0,
    lost: [...content.lost],
    halts: [...content.halts.values()],
  };
}

/** Reads the content of a checkpoint. Throws `data_loss` for a session in an unknown state. */
export function fromCheckpoint(checkpoint: Checkpoint): CheckpointContent {
  const { term, termOffset, throughMs } = checkpoint;
  const maps = new Map<number, PartitionMap>();
  const inForceMs = new Map<number, number>();
  for (const [i, { epoch, partitions, slots }] of checkpoint.maps.entries()) {
    maps.set(epoch, { epoch, partitions, slots: unpackSlots(slots) });
    inForceMs.set(epoch, checkpoint.mapsInForceMs[i] ?? Number.NEGATIVE_INFINITY);
  }
  const sessions = new Map(checkpoint.sessions.map((session) => [toHex(session.session), sessionInfo(session)]));
  const fences = new Map<string, FenceInfo>();
  for (const { offset, session, lane, reason, completedMs } of checkpoint.fences) {
    const completed = completedMs !== undefined;
    const fence = { offset, session: ownCopy(session), lane, reason, completed, completedMs };
    fences.set(fenceKey(session, lane), fence);
  }
  const deadLanes = new Map<string, DeadLaneInfo>();
  for (const { session, partition, lane } of checkpoint.deadLanes) {
    deadLanes.set(fenceKey(session, { partition, lane }), { session: ownCopy(session), partition, lane });
  }
  const skips = new Map<string, SkipInfo>();
  for (const skip of checkpoint.skips) applySkip(skips, skip);
  const overBudget = new Map<string, number>();
  for (const budget of checkpoint.overBudget) applyBudget(overBudget, budget);
  const keys = new KeyTable();
  for (const key of checkpoint.keys) applyKey(keys, key);
  const wereKeysCreated = checkpoint.keysRevoked || keys.size > 0;
  const eras = new Eras(checkpoint.eras.map(({ offset, startMs, aheadMs }) => ({ offset, startMs, aheadMs })));
  const lost = checkpoint.lost.map(({ offset, records, reason }) => ({ offset, records, reason }));
  const halts = new Map(
    checkpoint.halts.map(({ topic, partition, offset, sinceMs }) => {
      return [haltKey(topic, partition), { topic, partition, offset, sinceMs }];
    }),
  );
  const state = { maps, inForceMs, sessions, fences, deadLanes, skips, overBudget, keys, lost, halts, wereKeysCreated };
  return { term, termOffset, throughMs, eras, ...state };
}

function sessionInfo({ session, process, state, renewedMs, endedMs }: CheckpointSession): SessionInfo {
  if (state !== 'open' && state !== 'fenced' && state !== 'closed') {
    throw new TidemarkError('data_loss', `the checkpoint of control has a session in unknown state ${state}`);
  }
  return { key: toHex(session), session: ownCopy(session), process, state, renewedMs, endedMs };
}
