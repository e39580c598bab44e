import type { KeyInfo } from '@tidemark/access';
import { toHex } from '@tidemark/bytes';
import type {
  BudgetDecision,
  Checkpoint,
  CheckpointSession,
  FenceDecision,
  KeyDecision,
  MapDecision,
  SessionRenewed,
  SkipDecision,
} from '@tidemark/contract';
import { type PartitionMap, packSlots, unpackSlots } from '@tidemark/model';
import { PROTOCOL_TIMES } from '@tidemark/model/protocol-times';
import { assert, TidemarkError, unreachable } from '@tidemark/ports';
import type { ControlMessage } from './control-record.ts';

/** How long checkpoints keep ended sessions and completed fences, by append time. */
const REMEMBER_MS = PROTOCOL_TIMES.controlRetentionMs;

/**
 * How long after its decision a map comes into force, by append times of `control`. It lets readers of `control` know of
 * the map before the first point that is routed by it was accepted, so that answers need not be held back for it.
 */
const MAP_DELAY_MS = PROTOCOL_TIMES.mapDelayMs;

export interface SessionInfo {
  readonly key: string;
  readonly session: Uint8Array;
  readonly process: string;
  state: 'open' | 'fenced' | 'closed';
  /** When the log took the last renewal, or the registration, ms. */
  renewedMs: number;
  /** When the log took its end, ms; undefined while it is open. */
  endedMs: number | undefined;
}

/** A fence that was decided; `lane` absent means the whole session. */
export interface FenceInfo {
  readonly offset: number;
  readonly session: Uint8Array;
  readonly lane: { readonly partition: number; readonly lane: number } | undefined;
  readonly reason: string;
  /** Every partition has its copy. */
  completed: boolean;
  /** When the log took the completion, ms. */
  completedMs: number | undefined;
}

/** An offset that consumers may pass. */
export interface SkipInfo {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly reason: string;
}

/** A lane that its own session named as dead, waiting for its fence. */
export interface DeadLaneInfo {
  readonly session: Uint8Array;
  readonly partition: number;
  readonly lane: number;
}

/**
 * What the `control` log says up to an offset: terms, maps, sessions, fences, skips, budgets, keys. A decision of a
 * lower term, or one that expects another predecessor, is void; everybody who reads the log sees the same.
 */
export class ControlState {
  nextOffset = 0;
  /** Append time of the newest record applied, by the log's clock: no decision that was not read yet is older. */
  throughMs = Number.NEGATIVE_INFINITY;
  term = 0;
  /** Offset of the record that claimed the term: of two claims of one term the first counts. */
  termOffset = -1;
  /** Offset of the last checkpoint that counted, or -1: nothing before it is needed any more. */
  checkpointOffset = -1;
  /** False while the oldest records are gone and no checkpoint was read yet: what is here may be stale. */
  isWhole = true;
  readonly sessions = new Map<string, SessionInfo>();
  readonly fences = new Map<string, FenceInfo>();
  readonly deadLanes = new Map<string, DeadLaneInfo>();
  readonly maps = new Map<number, PartitionMap>();
  /** By epoch. */
  readonly #inForceMs = new Map<number, number>();
  #newest: PartitionMap | undefined;
  readonly #skips = new Map<string, SkipInfo>();
  /** Over budget: `tenant` or `tenant/metric`, with the limit. */
  readonly overBudget = new Map<string, number>();
  /** By the hex SHA-256 of the key. */
  readonly keys = new Map<string, KeyInfo>();

  /** The newest map; undefined before the first was decided. It may come into force only later. */
  get map(): PartitionMap | undefined {
    return this.#newest;
  }

  /**
   * From when on sessions may accept batches by the map of an epoch, each by its own clock, ms: 2 s after every append
   * time up to its decision. Always for the first map, and never for one that is not known.
   */
  inForceMs(epoch: number): number {
    return this.#inForceMs.get(epoch) ?? Number.POSITIVE_INFINITY;
  }

  /** The newest map that is in force at `acceptMs`, a session's time. */
  mapAt(acceptMs: number): PartitionMap | undefined {
    let found: PartitionMap | undefined;
    for (const map of this.maps.values()) if (this.inForceMs(map.epoch) <= acceptMs) found = map;
    return found;
  }

  /**
   * No session accepts anything before this time, by its own clock, by a map that is not known here: whatever was not
   * read yet is in force 2 s after all append times read so far, or later (docs/decisions/0006).
   */
  get mapsThroughMs(): number {
    return this.throughMs + MAP_DELAY_MS;
  }

  skipReason(topic: string, partition: number, offset: number): string | undefined {
    return this.#skips.get(`${topic}/${partition}/${offset}`)?.reason;
  }

  get skips(): readonly SkipInfo[] {
    return [...this.#skips.values()];
  }

  /** The log begins at `first` now: what was before it comes from the next checkpoint that counts. */
  beginAt(first: number): void {
    if (this.nextOffset >= first) return;
    this.nextOffset = first;
    this.isWhole = false;
  }

  /**
   * Applies the record at `offset`, which the log took at `appendTimeMs`. True when it was heeded: not so before the
   * first checkpoint of a log whose oldest records are gone.
   */
  apply(message: ControlMessage, offset: number, appendTimeMs: number): boolean {
    if (message.$case === 'checkpoint') this.#restore(message.value, offset);
    else if (this.isWhole) this.#change(message, offset, appendTimeMs);
    if (this.isWhole) this.throughMs = Math.max(this.throughMs, appendTimeMs);
    this.nextOffset = offset + 1;
    return this.isWhole;
  }

  /**
   * The checkpoint that the coordinator of the term in force may append at `nextOffset`. It leaves out sessions that
   * ended, and fences that were completed, more than 7 days before the newest record, by the log's clock.
   */
  checkpoint(): Checkpoint {
    assert(this.isWhole, 'a state is whole before it is written down');
    const { term, termOffset, throughMs, nextOffset: offset } = this;
    const isKept = (endMs: number | undefined) => endMs === undefined || endMs >= throughMs - REMEMBER_MS;
    return {
      ...{ term, offset, termOffset, throughMs },
      maps: [...this.maps.values()].map((map) => ({ ...map, slots: packSlots(map) })),
      mapsInForceMs: [...this.maps.keys()].map((epoch) => this.inForceMs(epoch)),
      sessions: [...this.sessions.values()]
        .filter(({ endedMs }) => isKept(endedMs))
        .map(({ session, process, state, renewedMs, endedMs }) => {
          return { session: Buffer.from(session), process, state, renewedMs, endedMs };
        }),
      fences: [...this.fences.values()]
        .filter(({ completedMs }) => isKept(completedMs))
        .map(({ offset: at, session, lane, reason, completedMs }) => {
          return { offset: at, session: Buffer.from(session), lane, reason, completedMs };
        }),
      deadLanes: [...this.deadLanes.values()].map((lane) => ({ ...lane, session: Buffer.from(lane.session) })),
      skips: this.skips.map((skip) => ({ term, ...skip })),
      overBudget: [...this.overBudget].map(([key, limit]) => ({ term, ...budgetOf(key), limit, over: true })),
      keys: [...this.keys].map(([hash, { tenant, name, scopes }]) => {
        return { term, tenant, name, keyHash: Buffer.from(hash, 'hex'), scopes: [...scopes], revoked: false };
      }),
    };
  }

  #restore(checkpoint: Checkpoint, offset: number): void {
    if (checkpoint.offset !== offset || (this.isWhole && checkpoint.term !== this.term)) return;
    const sessions = checkpoint.sessions.map(sessionInfo);
    this.term = checkpoint.term;
    this.termOffset = checkpoint.termOffset;
    this.throughMs = checkpoint.throughMs;
    this.#newest = undefined;
    this.maps.clear();
    this.#inForceMs.clear();
    for (const [i, { epoch, partitions, slots }] of checkpoint.maps.entries()) {
      this.#newest = { epoch, partitions, slots: unpackSlots(slots) };
      this.maps.set(epoch, this.#newest);
      this.#inForceMs.set(epoch, checkpoint.mapsInForceMs[i] ?? Number.NEGATIVE_INFINITY);
    }
    this.sessions.clear();
    for (const session of sessions) this.sessions.set(session.key, session);
    this.fences.clear();
    for (const { offset: at, session, lane, reason, completedMs } of checkpoint.fences) {
      const completed = completedMs !== undefined;
      const fence = { offset: at, session: Buffer.from(session), lane, reason, completed, completedMs };
      this.fences.set(fenceKey(session, lane), fence);
    }
    this.deadLanes.clear();
    for (const { session, partition, lane } of checkpoint.deadLanes) {
      const key = fenceKey(session, { partition, lane });
      this.deadLanes.set(key, { session: Buffer.from(session), partition, lane });
    }
    this.#skips.clear();
    for (const skip of checkpoint.skips) this.#skip(skip);
    this.overBudget.clear();
    for (const budget of checkpoint.overBudget) this.#budget(budget);
    this.keys.clear();
    for (const key of checkpoint.keys) this.#key(key);
    this.checkpointOffset = offset;
    this.isWhole = true;
  }

  #change(message: Exclude<ControlMessage, { $case: 'checkpoint' }>, offset: number, appendTimeMs: number): void {
    switch (message.$case) {
      case 'registered': {
        const { session, process } = message.value;
        const key = toHex(session);
        if (!this.sessions.has(key)) {
          this.sessions.set(key, {
            key,
            session: Buffer.from(session),
            process,
            state: 'open',
            renewedMs: appendTimeMs,
            endedMs: undefined,
          });
        }
        return;
      }
      case 'renewed':
        this.#renew(message.value, appendTimeMs);
        return;
      case 'ended':
        endSession(this.sessions.get(toHex(message.value.session)), 'closed', appendTimeMs);
        return;
      case 'term':
        if (message.value.term > this.term) {
          this.term = message.value.term;
          this.termOffset = offset;
        }
        return;
      case 'map':
        if (this.#inForce(message.value.term)) this.#decideMap(message.value, appendTimeMs);
        return;
      case 'fence':
        if (this.#inForce(message.value.term)) this.#fence(message.value, offset, appendTimeMs);
        return;
      case 'fenceCompleted': {
        const { session, lane } = message.value;
        const fence = this.fences.get(fenceKey(session, lane));
        if (fence === undefined || fence.completed) return;
        fence.completed = true;
        fence.completedMs = appendTimeMs;
        return;
      }
      case 'skip':
        if (this.#inForce(message.value.term)) this.#skip(message.value);
        return;
      case 'budget':
        if (this.#inForce(message.value.term)) this.#budget(message.value);
        return;
      case 'key':
        if (this.#inForce(message.value.term)) this.#key(message.value);
        return;
      default:
        unreachable(message);
    }
  }

  #inForce(term: number): boolean {
    return term === this.term;
  }

  #renew(renewed: SessionRenewed, appendTimeMs: number): void {
    const session = this.sessions.get(toHex(renewed.session));
    if (session === undefined || session.state !== 'open') return;
    session.renewedMs = appendTimeMs;
    for (const { partition, lane } of renewed.deadLanes) {
      const key = fenceKey(session.session, { partition, lane });
      if (!this.fences.has(key)) this.deadLanes.set(key, { session: session.session, partition, lane });
    }
  }

  #decideMap(decision: MapDecision, appendTimeMs: number): void {
    const { map, expectedEpoch } = decision;
    if (map === undefined || expectedEpoch !== (this.#newest?.epoch ?? 0) || map.epoch <= expectedEpoch) return;
    const isFirst = this.#newest === undefined;
    this.#newest = { epoch: map.epoch, partitions: map.partitions, slots: unpackSlots(map.slots) };
    this.maps.set(map.epoch, this.#newest);
    // Append times may go back where another broker takes over; what counts must not, so it is the greatest so far.
    const decidedMs = Math.max(this.throughMs, appendTimeMs);
    this.#inForceMs.set(map.epoch, isFirst ? Number.NEGATIVE_INFINITY : decidedMs + MAP_DELAY_MS);
  }

  #fence(decision: FenceDecision, offset: number, appendTimeMs: number): void {
    const key = fenceKey(decision.session, decision.lane);
    if (this.fences.has(key)) return;
    const { session, lane, reason } = decision;
    const info = { offset, session: Buffer.from(session), lane, reason, completed: false, completedMs: undefined };
    this.fences.set(key, info);
    this.deadLanes.delete(key);
    if (lane === undefined) endSession(this.sessions.get(toHex(session)), 'fenced', appendTimeMs);
  }

  #skip({ topic, partition, offset, reason }: SkipDecision): void {
    this.#skips.set(`${topic}/${partition}/${offset}`, { topic, partition, offset, reason });
  }

  #budget({ tenant, metric, over, limit }: BudgetDecision): void {
    const key = budgetKey(tenant, metric);
    if (over) this.overBudget.set(key, limit);
    else this.overBudget.delete(key);
  }

  #key({ tenant, name, keyHash, scopes, revoked }: KeyDecision): void {
    for (const [hash, info] of this.keys) if (info.tenant === tenant && info.name === name) this.keys.delete(hash);
    if (!revoked) this.keys.set(toHex(keyHash), { tenant, name, scopes: new Set(scopes) });
  }
}

function sessionInfo({ session, process, state, renewedMs, endedMs }: CheckpointSession): SessionInfo {
  if (state !== 'open' && state !== 'fenced' && state !== 'closed') {
    throw new TidemarkError('data_loss', `a checkpoint of control has a session in state ${state}`);
  }
  return { key: toHex(session), session: Buffer.from(session), process, state, renewedMs, endedMs };
}

/** A closed session may still be fenced; a fenced one stays so. */
function endSession(session: SessionInfo | undefined, state: 'fenced' | 'closed', appendTimeMs: number): void {
  if (session === undefined || (state === 'closed' && session.state !== 'open')) return;
  session.state = state;
  session.endedMs ??= appendTimeMs;
}

/** Name of a fence: its session, and its lane if it is of one. */
export function fenceKey(session: Uint8Array, lane: { partition: number; lane: number } | undefined): string {
  return lane === undefined ? toHex(session) : `${toHex(session)}.${lane.partition}.${lane.lane}`;
}

/** In no name, so that it can't be taken for a part of one. */
const BUDGET_SEPARATOR = '\n';

/** Tenant and metric of a budget's name; no metric when it is the tenant's as a whole. */
export function budgetOf(key: string): { tenant: string; metric: string } {
  const [tenant, metric = ''] = key.split(BUDGET_SEPARATOR);
  return { tenant, metric };
}

/** Name of a budget: of a tenant as a whole when `metric` is empty. */
export function budgetKey(tenant: string, metric: string): string {
  return metric === '' ? tenant : `${tenant}${BUDGET_SEPARATOR}${metric}`;
}
