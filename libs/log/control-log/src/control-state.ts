import type { KeyInfo } from '@tidemark/access';
import { ownCopy, toHex } from '@tidemark/bytes';
import type { Checkpoint, FenceDecision, MapDecision, SessionRenewed, SetBackDecision } from '@tidemark/contract';
import { type PartitionMap, unpackSlots } from '@tidemark/model';
import { PROTOCOL_TIMES } from '@tidemark/model/protocol-times';
import { assert, unreachable } from '@tidemark/ports';
import { fromCheckpoint, toCheckpoint } from './control-checkpoint.ts';
import {
  applyBudget,
  applyHalt,
  applyKey,
  applySkip,
  type DeadLaneInfo,
  type FenceInfo,
  fenceKey,
  type HaltInfo,
  haltKey,
  type LostControlInfo,
  type SessionInfo,
  type SkipInfo,
  skipKey,
} from './control-entries.ts';
import type { ControlMessage } from './control-record.ts';
import { type Era, Eras, isSetBack } from './eras.ts';
import { KeyTable } from './key-table.ts';
import { type PassedRecord, PendingCheckpoint } from './pending-checkpoint.ts';
import { SinceLoss } from './since-loss.ts';

/**
 * Delay from a map's decision until it is in force, by append times of `control`. Readers of `control` learn of the map
 * before the first point that it routes is accepted, so answers need not wait for it.
 */
const MAP_DELAY_MS = PROTOCOL_TIMES.mapDelayMs;

/**
 * Content of the `control` log up to an offset: terms, maps, sessions, fences, skips, budgets, keys. A decision of a
 * lower term, or one that expects another predecessor, is void. All readers of the log have the same content.
 */
export class ControlState {
  nextOffset = 0;
  /** Highest append time in the current era, by the log's clock. No unread decision of this era is older. */
  throughMs = Number.NEGATIVE_INFINITY;
  /** Append time of the newest applied record. It is below `throughMs` after the log's clock was set back. */
  appendTimeMs = Number.NEGATIVE_INFINITY;
  /** The eras of the log's time. */
  eras = new Eras();
  term = 0;
  /** Offset of the record that claimed the term. Of two claims of one term the first counts. */
  termOffset = -1;
  /** Offset of the record that began the last checkpoint that counted, or -1. The checkpoint has the state as of that record. */
  checkpointOffset = -1;
  /** False while the oldest records are gone and no checkpoint was read: the content may be stale. */
  isWhole = true;
  readonly sessions = new Map<string, SessionInfo>();
  readonly fences = new Map<string, FenceInfo>();
  readonly deadLanes = new Map<string, DeadLaneInfo>();
  readonly maps = new Map<number, PartitionMap>();
  /** Time from which a map is in force, ms, by epoch. */
  readonly #inForceMs = new Map<number, number>();
  #newest: PartitionMap | undefined;
  readonly #skips = new Map<string, SkipInfo>();
  /** Limits of the exceeded budgets, by `budgetKey`. */
  readonly overBudget = new Map<string, number>();
  /** Partitions whose stores are all halted, by `haltKey`. */
  readonly halts = new Map<string, HaltInfo>();
  readonly #keys = new KeyTable();
  /** Whether a key was ever created, also where all of them were revoked. */
  wereKeysCreated = false;
  #lost: readonly LostControlInfo[] = [];
  #sinceLoss: SinceLoss | undefined;
  readonly #pending = new PendingCheckpoint();

  /** API keys by the hex SHA-256 of the key. */
  get keys(): ReadonlyMap<string, KeyInfo> {
    return this.#keys;
  }

  /** The newest decided map, which may not be in force yet. Undefined before the first decision. */
  get map(): PartitionMap | undefined {
    return this.#newest;
  }

  /**
   * Returns the time from which sessions may accept batches by the map of an epoch, each by its own clock, ms: 2 s
   * after every append time up to the map's decision. It is -Infinity for the first map, and Infinity for an unknown
   * one.
   */
  inForceMs(epoch: number): number {
    return this.#inForceMs.get(epoch) ?? Number.POSITIVE_INFINITY;
  }

  /** Returns the newest map in force at `acceptMs`, a session's time. */
  mapAt(acceptMs: number): PartitionMap | undefined {
    let found: PartitionMap | undefined;
    for (const map of this.maps.values()) if (this.inForceMs(map.epoch) <= acceptMs) found = map;
    return found;
  }

  /**
   * Time before which no session accepts a batch, by its own clock, by a map that is unknown here. Maps that were not
   * read yet come into force 2 s after all append times read so far, or later (docs/decisions/0006).
   */
  get mapsThroughMs(): number {
    return this.throughMs + MAP_DELAY_MS;
  }

  skipReason(topic: string, partition: number, offset: number): string | undefined {
    return this.#skips.get(skipKey(topic, partition, offset))?.reason;
  }

  /**
   * Returns for how long the stores of a partition, of `points` or `tags`, have been halted, by the log's clock, ms;
   * undefined while one of them continues.
   */
  haltedMs(partition: number): number | undefined {
    if (this.halts.size === 0) return undefined;
    const [points, tags] = [this.halts.get(haltKey('points', partition)), this.halts.get(haltKey('tags', partition))];
    const sinceMs = Math.min(points?.sinceMs ?? Number.POSITIVE_INFINITY, tags?.sinceMs ?? Number.POSITIVE_INFINITY);
    return points === undefined && tags === undefined ? undefined : Math.max(0, this.throughMs - sinceMs);
  }

  get skips(): readonly SkipInfo[] {
    return [...this.#skips.values()];
  }

  /** Records that the log has lost, which no checkpoint covers; the oldest first. */
  get lost(): readonly LostControlInfo[] {
    return this.#lost;
  }

  /**
   * True while lost records may have begun an era that is unknown here. A coordinator then begins another one, which all
   * readers know; others wait for that, or for a repetition of the decision.
   */
  get mayLackEra(): boolean {
    return this.#sinceLoss?.mayLackEra ?? false;
  }

  /** Lost records that no operator has passed by a skip. */
  get unknownLosses(): readonly LostControlInfo[] {
    return this.#lost.filter(({ offset }) => this.skipReason('control', 0, offset) === undefined);
  }

  /**
   * Passes the records at `nextOffset`, which the log has lost. They count as records without effect; what later records
   * prove of them is applied with those: the claim of a term, the registration of a session, the beginning of an era.
   */
  lose(records: number, reason: string): void {
    const lost = { offset: this.nextOffset, records, reason };
    this.#pending.pass(lost);
    this.#lose(lost);
  }

  /** Records that the log now begins at `first`. The next checkpoint that counts has the content of earlier records. */
  beginAt(first: number): void {
    if (this.nextOffset >= first) return;
    this.nextOffset = first;
    this.isWhole = false;
    this.#pending.clear();
  }

  /**
   * Applies the record at `offset`, appended at `appendTimeMs`. Returns false while records are ignored: before the
   * first checkpoint of a log whose oldest records are gone.
   */
  apply(message: ControlMessage, offset: number, appendTimeMs: number): boolean {
    const whole = message.$case === 'checkpoint' ? this.#pending.add(message.value) : undefined;
    if (whole !== undefined) this.#restore(whole);
    const record = { message, offset, appendTimeMs };
    this.#applyOne(record);
    if (message.$case === 'checkpointBegun' && message.value.term === this.term) {
      this.#pending.begin(message.value.term, offset);
    } else this.#pending.pass(record);
    return this.isWhole;
  }

  /**
   * Builds the checkpoint as of the last applied record, a `checkpointBegun`, for the coordinator that appended it: all
   * content, except the entries that `toCheckpoint` omits. It is appended by `splitCheckpoint`.
   */
  checkpoint(): Checkpoint {
    assert(this.isWhole, 'only a whole state has a checkpoint');
    const { term, termOffset, throughMs, eras, maps, sessions, fences, deadLanes, overBudget, keys, lost, halts } =
      this;
    const content = { term, termOffset, throughMs, eras, maps, sessions, fences, deadLanes, overBudget, keys, lost };
    const more = { wereKeysCreated: this.wereKeysCreated, halts, inForceMs: this.#inForceMs, skips: this.#skips };
    return toCheckpoint({ ...content, ...more }, this.nextOffset - 1);
  }

  #applyOne({ message, offset, appendTimeMs }: PassedRecord): void {
    if (this.isWhole) {
      this.#assume(message, offset, appendTimeMs);
      this.#change(message, offset, appendTimeMs);
      this.throughMs = Math.max(this.throughMs, appendTimeMs);
      this.#sinceLoss?.read(appendTimeMs);
    } else if (message.$case === 'term' || message.$case === 'checkpointBegun') {
      // A checkpoint that begins under a lower term than these is void for all readers.
      this.term = Math.max(this.term, message.value.term);
    }
    this.appendTimeMs = appendTimeMs;
    this.nextOffset = offset + 1;
  }

  #lose(lost: LostControlInfo): void {
    // What was lost before the first checkpoint is in that checkpoint.
    if (this.isWhole) {
      this.#lost = [...this.#lost, lost];
      const since = new SinceLoss();
      since.mayLackEra = this.mayLackEra;
      this.#sinceLoss = since;
    }
    this.nextOffset = lost.offset + lost.records;
  }

  /** Replaces the content by that of a checkpoint, and applies what was read since it began. */
  #restore(checkpoint: Checkpoint): void {
    this.#replace(checkpoint);
    for (const one of this.#pending.passed) {
      if ('message' in one) this.#applyOne(one);
      else this.#lose(one);
    }
    this.#pending.clear();
  }

  #replace(checkpoint: Checkpoint): void {
    const content = fromCheckpoint(checkpoint);
    this.term = content.term;
    this.termOffset = content.termOffset;
    this.throughMs = content.throughMs;
    this.eras = content.eras;
    this.#newest = [...content.maps.values()].at(-1);
    refill(this.maps, content.maps);
    refill(this.#inForceMs, content.inForceMs);
    refill(this.sessions, content.sessions);
    refill(this.fences, content.fences);
    refill(this.deadLanes, content.deadLanes);
    refill(this.#skips, content.skips);
    refill(this.overBudget, content.overBudget);
    refill(this.#keys, content.keys);
    this.wereKeysCreated = content.wereKeysCreated;
    refill(this.halts, content.halts);
    this.#lost = content.lost;
    this.#sinceLoss = undefined;
    this.checkpointOffset = checkpoint.offset;
    this.nextOffset = checkpoint.offset + 1;
    this.isWhole = true;
  }

  #change(message: ControlMessage, offset: number, appendTimeMs: number): void {
    switch (message.$case) {
      case 'registered':
        this.#register(message.value.session, message.value.process, appendTimeMs);
        return;
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
      case 'setBack':
        this.#setBack(message.value, offset, appendTimeMs);
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
      case 'halt':
        if (this.#isCurrentTerm(message.value.term)) applyHalt(this.halts, message.value, appendTimeMs);
        return;
      case 'key':
        if (!this.#isCurrentTerm(message.value.term)) return;
        applyKey(this.#keys, message.value);
        this.wereKeysCreated ||= !message.value.revoked;
        return;
      case 'checkpointBegun':
      case 'checkpoint':
        return;
      default:
        unreachable(message);
    }
  }

  /** Applies what this record proves of lost records before it. */
  #assume(message: ControlMessage, offset: number, appendTimeMs: number): void {
    const last = this.#lost.at(-1);
    if (last === undefined) return;
    // A coordinator decides only after it has read its own claim, so the claim was lost.
    if ('term' in message.value && message.$case !== 'term' && message.value.term > this.term) {
      if (last.offset > this.termOffset) {
        this.term = message.value.term;
        this.termOffset = last.offset;
      }
    }
    // A session renews only after it has registered.
    if (message.$case === 'renewed') this.#register(message.value.session, 'unknown', appendTimeMs);
    if (last.offset + last.records === offset) this.#sinceLoss?.first(this.throughMs, appendTimeMs);
  }

  #register(session: Uint8Array, process: string, appendTimeMs: number): void {
    const key = toHex(session);
    if (this.sessions.has(key)) return;
    this.#sinceLoss?.sessions.add(key);
    const times = { renewedMs: appendTimeMs, endedMs: undefined };
    this.sessions.set(key, { key, session: ownCopy(session), process, state: 'open', ...times });
  }

  #isCurrentTerm(term: number): boolean {
    return term === this.term;
  }

  #renew(renewed: SessionRenewed, appendTimeMs: number): void {
    const session = this.sessions.get(toHex(renewed.session));
    if (session === undefined) return;
    // Also of a fenced session: until it reads its fence, its lanes continue.
    session.renewedMs = Math.max(session.renewedMs, appendTimeMs);
    if (session.state !== 'open') return;
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
    // Append times may decrease when another broker takes over. The decision's time must not: it is the highest so far.
    const decidedMs = Math.max(this.throughMs, appendTimeMs);
    this.#inForceMs.set(map.epoch, isFirst ? Number.NEGATIVE_INFINITY : decidedMs + MAP_DELAY_MS);
  }

  #setBack(decision: SetBackDecision, offset: number, appendTimeMs: number): void {
    const { throughMs, repeats } = decision;
    if (repeats !== undefined) {
      // Readers that have read the decision know this era, or a later one.
      if (repeats.offset > this.eras.current) this.#beginLostEra(repeats, throughMs);
      return;
    }
    if (!isSetBack(decision, appendTimeMs)) return;
    const startMs = Math.floor(appendTimeMs);
    this.#beginEra({ offset, startMs, aheadMs: Math.max(0, Math.floor(throughMs) - startMs) }, startMs, new Set());
  }

  /** Begins an era whose decision the log has lost here. What came after it belongs to it. */
  #beginLostEra({ offset, startMs, aheadMs }: Era, throughMs: number): void {
    const since = this.#sinceLoss;
    const highestMs = Math.max(startMs, throughMs, since?.throughMs ?? startMs);
    this.#beginEra({ offset, startMs, aheadMs }, highestMs, since?.sessions ?? new Set());
  }

  /**
   * Begins an era, whose highest append time is `throughMs`. It voids what sessions of the earlier ones promised about
   * time, so they end, and maps that wait for a time that was wrong come into force. Sessions of `later` began after it.
   */
  #beginEra(era: Era, throughMs: number, later: ReadonlySet<string>): void {
    this.eras = this.eras.with(era);
    this.throughMs = throughMs;
    if (this.#sinceLoss !== undefined) this.#sinceLoss.mayLackEra = false;
    for (const [epoch, inForceMs] of this.#inForceMs) {
      this.#inForceMs.set(epoch, Math.min(inForceMs, throughMs + MAP_DELAY_MS));
    }
    for (const [key, halt] of this.halts) {
      this.halts.set(key, { ...halt, sinceMs: Math.min(halt.sinceMs, throughMs) });
    }
    for (const session of this.sessions.values()) {
      if (session.state === 'open' && !later.has(session.key)) endSession(session, 'fenced', era.startMs);
    }
    // The lanes of these sessions count in no partition where a lane of the new era has opened.
    for (const [key, lane] of this.deadLanes) if (!later.has(toHex(lane.session))) this.deadLanes.delete(key);
  }

  #fence(decision: FenceDecision, offset: number, appendTimeMs: number): void {
    const key = fenceKey(decision.session, decision.lane);
    if (this.fences.has(key)) return;
    const { session, lane, reason } = decision;
    const info = { offset, session: ownCopy(session), lane, reason, completed: false, completedMs: undefined };
    this.fences.set(key, info);
    this.deadLanes.delete(key);
    if (lane === undefined) endSession(this.sessions.get(toHex(session)), 'fenced', appendTimeMs);
  }
}

/** Replaces the entries of a map. Other objects keep a reference to the map itself. */
function refill<K, V>(map: Map<K, V>, entries: ReadonlyMap<K, V>): void {
  map.clear();
  for (const [key, value] of entries) map.set(key, value);
}

/** Ends a session. A closed session may still be fenced; a fenced one stays fenced. */
function endSession(session: SessionInfo | undefined, state: 'fenced' | 'closed', appendTimeMs: number): void {
  if (session === undefined || (state === 'closed' && session.state !== 'open')) return;
  session.state = state;
  session.endedMs ??= appendTimeMs;
}
