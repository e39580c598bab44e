import type { KeyInfo } from '@tidemark/access';
import { toHex } from '@tidemark/bytes';
import type { Checkpoint, FenceDecision, MapDecision, SessionRenewed } from '@tidemark/contract';
import { type PartitionMap, unpackSlots } from '@tidemark/model';
import { PROTOCOL_TIMES } from '@tidemark/model/protocol-times';
import { assert, unreachable } from '@tidemark/ports';
import { fromCheckpoint, toCheckpoint } from './control-checkpoint.ts';
import {
  applyBudget,
  applyKey,
  applySkip,
  type DeadLaneInfo,
  type FenceInfo,
  fenceKey,
  type SessionInfo,
  type SkipInfo,
  skipKey,
} from './control-entries.ts';
import type { ControlMessage } from './control-record.ts';

/**
 * How long after its decision a map comes into force, by append times of `control`. It lets readers of `control` know of
 * the map before the first point that is routed by it was accepted, so that answers need not be held back for it.
 */
const MAP_DELAY_MS = PROTOCOL_TIMES.mapDelayMs;

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
    return this.#skips.get(skipKey(topic, partition, offset))?.reason;
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
   * The checkpoint that the coordinator of the current term may append at `nextOffset`: all content, except what
   * `toCheckpoint` forgets.
   */
  checkpoint(): Checkpoint {
    assert(this.isWhole, 'a state is whole before it is written down');
    const { term, termOffset, throughMs, maps, sessions, fences, deadLanes, overBudget, keys } = this;
    const content = { term, termOffset, throughMs, maps, sessions, fences, deadLanes, overBudget, keys };
    return toCheckpoint({ ...content, inForceMs: this.#inForceMs, skips: this.#skips }, this.nextOffset);
  }

  #restore(checkpoint: Checkpoint, offset: number): void {
    if (checkpoint.offset !== offset || (this.isWhole && checkpoint.term !== this.term)) return;
    const content = fromCheckpoint(checkpoint);
    this.term = content.term;
    this.termOffset = content.termOffset;
    this.throughMs = content.throughMs;
    this.#newest = [...content.maps.values()].at(-1);
    refill(this.maps, content.maps);
    refill(this.#inForceMs, content.inForceMs);
    refill(this.sessions, content.sessions);
    refill(this.fences, content.fences);
    refill(this.deadLanes, content.deadLanes);
    refill(this.#skips, content.skips);
    refill(this.overBudget, content.overBudget);
    refill(this.keys, content.keys);
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
        if (this.#isCurrentTerm(message.value.term)) this.#decideMap(message.value, appendTimeMs);
        return;
      case 'fence':
        if (this.#isCurrentTerm(message.value.term)) this.#fence(message.value, offset, appendTimeMs);
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
        if (this.#isCurrentTerm(message.value.term)) applySkip(this.#skips, message.value);
        return;
      case 'budget':
        if (this.#isCurrentTerm(message.value.term)) applyBudget(this.overBudget, message.value);
        return;
      case 'key':
        if (this.#isCurrentTerm(message.value.term)) applyKey(this.keys, message.value);
        return;
      default:
        unreachable(message);
    }
  }

  #isCurrentTerm(term: number): boolean {
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
}

/** Replaces the entries of a map that others hold. */
function refill<K, V>(map: Map<K, V>, entries: ReadonlyMap<K, V>): void {
  map.clear();
  for (const [key, value] of entries) map.set(key, value);
}

/** A closed session may still be fenced; a fenced one stays so. */
function endSession(session: SessionInfo | undefined, state: 'fenced' | 'closed', appendTimeMs: number): void {
  if (session === undefined || (state === 'closed' && session.state !== 'open')) return;
  session.state = state;
  session.endedMs ??= appendTimeMs;
}
