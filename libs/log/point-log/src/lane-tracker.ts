import { ownCopy, toHex } from '@tidemark/bytes';
import { FIRST_ERA } from '@tidemark/model';
import { PROTOCOL_TIMES } from '@tidemark/model/protocol-times';
import { ALL_LANES, RECORD, type RecordHeader, type Span } from '@tidemark/point-records';
import { TidemarkError } from '@tidemark/ports';
import { CrowdedClients } from './crowded-clients.ts';
import { DedupWindow, WINDOW } from './dedup-window.ts';

/** Time for which the state of ended lanes and silent clients is kept, by the age of the partition. */
const RETENTION_MS = PROTOCOL_TIMES.retentionMs;
const EXPIRY_STEP_MS = 3_600_000;
/** Max aging by one advance of the watermark. A clock that is set ahead must not expire sequences that are needed. */
const AGING_STEP_MS = PROTOCOL_TIMES.agingStepMs;
/** Place of a lane that has no record yet. */
const UNSEEN = { sequence: -1, skips: 0, gapEpoch: -1 };

/** A lane as a consumer knows it: the records of one session in this partition. */
export interface LaneState {
  readonly key: string;
  readonly session: Uint8Array;
  readonly lane: number;
  /** Last sequence applied; -1 before the first. */
  sequence: number;
  /** True when the lane counts in the watermark. */
  open: boolean;
  /** True when the lane is fenced or closed, or of an earlier era. It will not open again. */
  ended: boolean;
  fenced: boolean;
  markMs: number;
  epoch: number;
  /** Offset of the first block of the epoch. */
  keyframeOffset: number;
  /** Age of the partition when the lane ended. It decides when the lane is dropped. */
  endedAtMs: number;
  /**
   * Number of records that the partition had skipped at the lane's last record. Each later skip may be one of the lane.
   */
  skips: number;
  /** Epoch in which a record of the lane is missing, possibly with definitions; -1 when none is missing. */
  gapEpoch: number;
}

/** A client session of one tenant as a consumer knows it. */
export interface ClientState {
  readonly key: string;
  readonly clientSession: Uint8Array;
  readonly tenant: string;
  readonly window: DedupWindow;
  frontierMs: number | undefined;
  latePoints: number;
  duplicatePoints: number;
  /** Age of the partition at the client's last span. */
  seenAtMs: number;
}

/**
 * Completeness and exactly-once delivery of one partition, as a function of its log alone: lanes with their sequences
 * and marks, fences, the watermark, and the applied batches of each client. Every consumer of `points` has one;
 * docs/concepts.md says why it works.
 *
 * For each record, in log order: call `begin`, then for a block `isFresh` for each span and `countLate` for late
 * points, then `end`.
 */
export class LaneTracker {
  readonly lanes = new Map<string, LaneState>();
  readonly #clients = new Map<string, ClientState>();
  readonly #crowds: CrowdedClients;
  /** Keys of lanes and clients that changed since `saved`. */
  readonly #changedLanes = new Set<string>();
  readonly #changedClients = new Set<string>();
  #watermarkMs = Number.NEGATIVE_INFINITY;
  #era = FIRST_ERA;
  #ageMs = 0;
  #expiredAtMs = 0;
  #skips = 0;

  /** `clientSessions`: max client sessions of one tenant that are remembered. */
  constructor(clientSessions?: number) {
    this.#crowds = new CrowdedClients(clientSessions);
  }

  /** Client sessions by key. */
  get clients(): ReadonlyMap<string, ClientState> {
    return this.#clients;
  }

  /** Lowest mark of the open lanes, in log order; -Infinity before the first. It decreases only where an era begins. */
  get watermarkMs(): number {
    return this.#watermarkMs;
  }

  /** The session of the open lane with the lowest mark, for which the watermark waits; undefined when none is open. */
  get slowestSession(): Uint8Array | undefined {
    return this.#slowest()?.session;
  }

  /** The newest era that a record of a lane named. Lanes of earlier ones do not count in the watermark. */
  get era(): number {
    return this.#era;
  }

  /**
   * Sum of the watermark's advances, each of a minute at most. Where no clock is wrong, it runs like time while the
   * partition is in use.
   */
  get ageMs(): number {
    return this.#ageMs;
  }

  get expiredAtMs(): number {
    return this.#expiredAtMs;
  }

  /** Number of records skipped so far. */
  get skips(): number {
    return this.#skips;
  }

  /** Restores the saved watermark, era, ages and counts. */
  restoreHead(head: Pick<LaneTracker, 'watermarkMs' | 'era' | 'ageMs' | 'expiredAtMs' | 'skips'>): void {
    this.#watermarkMs = head.watermarkMs;
    this.#era = head.era;
    this.#ageMs = head.ageMs;
    this.#expiredAtMs = head.expiredAtMs;
    this.#skips = head.skips;
  }

  /** Restores a saved client session. */
  restoreClient(client: ClientState): void {
    this.#clients.set(client.key, client);
    this.#crowds.added(client.tenant);
  }

  /**
   * Judges a record by the sequence of its lane: `apply` it, or drop it as a `duplicate`. A gap throws `data_loss`,
   * which halts the partition, unless as many records were skipped since the lane's last one. A fence always applies.
   * Changes nothing.
   */
  begin(header: RecordHeader): 'apply' | 'duplicate' {
    if (header.type === RECORD.fence) return 'apply';
    const { sequence } = this.#placeOf(header);
    if (header.sequence <= sequence) return 'duplicate';
    if (this.missingBefore(header) > 0) {
      const key = laneKey(header.session, header.lane);
      throw new TidemarkError(
        'data_loss',
        `lane ${key} jumps from sequence ${sequence} to ${header.sequence}: a record is missing`,
        { lane: key, expected: sequence + 1, found: header.sequence },
      );
    }
    return 'apply';
  }

  /**
   * Returns the number of records of the lane that are missing before this one, less the records that were skipped since
   * the lane's last one.
   */
  missingBefore(header: RecordHeader): number {
    if (header.type === RECORD.fence) return 0;
    const { sequence, skips } = this.#placeOf(header);
    return Math.max(0, header.sequence - sequence - 1 - (this.#skips - skips));
  }

  /** Returns true when a skipped record of the lane may have defined refs of the block. */
  mayMissDefinitions(header: RecordHeader): boolean {
    const { sequence, gapEpoch } = this.#placeOf(header);
    return header.sequence > sequence + 1 || gapEpoch === header.epoch;
  }

  /**
   * Returns true, and records the span's batch as applied, when it was not applied before. Call it once per span, in
   * order, between `begin` and `end`. `points` is the number of points of the span, for the counters.
   */
  isFresh(span: Span, points: number): boolean {
    const client = this.#client(span);
    this.#changedClients.add(client.key);
    client.seenAtMs = this.#ageMs;
    client.window.raiseFloor(span.floor);
    if (span.sequence >= client.window.floor + WINDOW) {
      // Only a client that breaks the protocol gets here. Dropping its oldest sequences keeps its new data.
      client.window.raiseFloor(span.sequence - WINDOW + 1);
    }
    if (client.window.has(span.sequence)) {
      client.duplicatePoints += points;
      return false;
    }
    client.window.add(span.sequence);
    if (span.frontierMs !== undefined) {
      client.frontierMs = Math.max(client.frontierMs ?? Number.NEGATIVE_INFINITY, span.frontierMs);
    }
    return true;
  }

  /**
   * Returns true when a point of this timestamp is late at this place of the log, for lateness bound `latenessMs` (D).
   */
  isLate(timestampMs: number, latenessMs: number): boolean {
    return this.#watermarkMs > timestampMs + latenessMs;
  }

  countLate(span: Span, points: number): void {
    if (points > 0) this.#client(span).latePoints += points;
  }

  /** Applies the record's mark, opening or end. Call it after the record's points were applied. */
  end(header: RecordHeader, offset: number): void {
    if (header.type === RECORD.fence) {
      this.#fence(header);
    } else {
      this.#enter(header);
      const lane = this.#lane(header);
      // A lane whose opening was lost counts from its first known record on: it may be in use for weeks.
      const hasLostOpen = lane.sequence < 0 && header.sequence > 0;
      if (header.sequence > lane.sequence + 1) lane.gapEpoch = header.epoch;
      lane.sequence = header.sequence;
      lane.skips = this.#skips;
      if ((header.type === RECORD.open || hasLostOpen) && !lane.ended) lane.open = true;
      if (!lane.ended) lane.markMs = Math.max(lane.markMs, header.markMs);
      if (header.type === RECORD.block && (header.epoch !== lane.epoch || lane.keyframeOffset < 0)) {
        lane.epoch = header.epoch;
        lane.keyframeOffset = header.keyframeOffset < 0 ? offset : header.keyframeOffset;
      }
      this.#advance();
      if (header.type === RECORD.close) this.#endLane(lane, false);
      this.#changedLanes.add(lane.key);
    }
    this.#advance();
    this.#expire();
  }

  /** Skips unreadable records, each of which may be the next one of any lane. */
  skip(records = 1): void {
    this.#skips += records;
  }

  /** Keys that changed since `saved`, for a store that saves entries one by one. A key without an entry was deleted. */
  get changes(): { readonly lanes: ReadonlySet<string>; readonly clients: ReadonlySet<string> } {
    return { lanes: this.#changedLanes, clients: this.#changedClients };
  }

  /** Clears the changes after they were saved. */
  saved(): void {
    this.#changedLanes.clear();
    this.#changedClients.clear();
  }

  #placeOf({ session, lane }: RecordHeader): Pick<LaneState, 'sequence' | 'skips' | 'gapEpoch'> {
    return this.lanes.get(laneKey(session, lane)) ?? UNSEEN;
  }

  #lane(header: RecordHeader): LaneState {
    const key = laneKey(header.session, header.lane);
    const known = this.lanes.get(key);
    if (known !== undefined) return known;
    const fenced = this.#isSessionFenced(header.session);
    const lane: LaneState = {
      key,
      session: ownCopy(header.session),
      lane: header.lane,
      sequence: -1,
      open: false,
      ended: fenced || (header.type !== RECORD.fence && header.era < this.#era),
      fenced,
      markMs: Number.NEGATIVE_INFINITY,
      epoch: -1,
      keyframeOffset: -1,
      endedAtMs: this.#ageMs,
      skips: 0,
      gapEpoch: -1,
    };
    this.lanes.set(key, lane);
    return lane;
  }

  #client(span: Span): ClientState {
    const key = clientKey(span.tenant, span.clientSession);
    const known = this.#clients.get(key);
    if (known !== undefined) return known;
    for (const silent of this.#crowds.surplus(span.tenant, this.#clients.values())) this.#drop(silent);
    const client: ClientState = {
      key,
      clientSession: ownCopy(span.clientSession),
      tenant: span.tenant,
      window: new DedupWindow(),
      frontierMs: undefined,
      latePoints: 0,
      duplicatePoints: 0,
      seenAtMs: this.#ageMs,
    };
    this.restoreClient(client);
    return client;
  }

  #drop({ key, tenant }: ClientState): void {
    this.#clients.delete(key);
    this.#crowds.removed(tenant);
    this.#changedClients.add(key);
  }

  /**
   * Begins the era of a lane's record, if it is newer: the log's clock was set back. Time continues at the start of the
   * era, and the lanes of earlier ones, whose clocks may have been ahead, no longer count.
   */
  #enter({ era, eraStartMs }: RecordHeader): void {
    if (era <= this.#era) return;
    this.#era = era;
    for (const lane of this.lanes.values()) if (!lane.ended) this.#endLane(lane, false);
    this.#watermarkMs = Math.min(this.#watermarkMs, eraStartMs);
    for (const client of this.#clients.values()) {
      if (client.frontierMs === undefined || client.frontierMs <= eraStartMs) continue;
      client.frontierMs = undefined;
      this.#changedClients.add(client.key);
    }
  }

  #slowest(): LaneState | undefined {
    let slowest: LaneState | undefined;
    for (const lane of this.lanes.values()) {
      if (lane.open && (slowest === undefined || lane.markMs < slowest.markMs)) slowest = lane;
    }
    return slowest;
  }

  /** Records a fence. An unseen lane that is fenced is added as an ended lane. */
  #fence(header: RecordHeader): void {
    if (header.lane === ALL_LANES) {
      for (const lane of this.lanes.values()) {
        if (Buffer.compare(lane.session, header.session) === 0) this.#endLane(lane, true);
      }
    }
    this.#endLane(this.#lane(header), true);
  }

  #isSessionFenced(session: Uint8Array): boolean {
    return this.lanes.get(laneKey(session, ALL_LANES))?.fenced ?? false;
  }

  #endLane(lane: LaneState, fenced: boolean): void {
    if (!lane.ended) lane.endedAtMs = this.#ageMs;
    lane.open = false;
    lane.ended = true;
    lane.fenced ||= fenced;
    this.#changedLanes.add(lane.key);
  }

  #advance(): void {
    const minMarkMs = this.#slowest()?.markMs;
    if (minMarkMs === undefined || !(minMarkMs > this.#watermarkMs)) return;
    if (Number.isFinite(this.#watermarkMs)) this.#ageMs += Math.min(AGING_STEP_MS, minMarkMs - this.#watermarkMs);
    this.#watermarkMs = minMarkMs;
  }

  /** Drops expired state at fixed steps of the age, so that all replicas drop it at the same record. */
  #expire(): void {
    const step = Math.floor(this.#ageMs / EXPIRY_STEP_MS) * EXPIRY_STEP_MS;
    if (step <= this.#expiredAtMs) return;
    this.#expiredAtMs = step;
    for (const [key, lane] of this.lanes) {
      if (!lane.ended || lane.endedAtMs > step - RETENTION_MS) continue;
      this.lanes.delete(key);
      this.#changedLanes.add(key);
    }
    for (const client of this.#clients.values()) if (client.seenAtMs <= step - RETENTION_MS) this.#drop(client);
  }
}

/**
 * Returns the key of a client: its session and its tenant, both in hex. A client chooses its session itself, and must
 * not be able to use up the sequences of another tenant.
 */
export function clientKey(tenant: string, session: Uint8Array): string {
  return `${toHex(session)}.${Buffer.from(tenant).toString('hex')}`;
}

/** Returns the key of a lane: its session in hex, and its number. */
export function laneKey(session: Uint8Array, lane: number): string {
  return `${toHex(session)}.${lane}`;
}
