import { toHex } from '@tidemark/bytes';
import { FIRST_ERA } from '@tidemark/model';
import { PROTOCOL_TIMES } from '@tidemark/model/protocol-times';
import { ALL_LANES, type BlockRecord, decodeRecord, RECORD } from '@tidemark/point-records';
import { batchKey, type Ledger, pointsOf } from './ledger.ts';
import { Violation } from './violation.ts';

/** A point in the log, with which every store and answer is compared. */
export interface AppliedPoint {
  readonly series: string;
  readonly partition: number;
  readonly timeMs: number;
  readonly value: number;
  readonly isLate: boolean;
  /** Accepted by its intake within D of its timestamp. */
  readonly isInTime: boolean;
  /** Reporting interval that the series' definition states, ms; 0 when it states none. */
  readonly intervalMs: number;
  readonly mapEpoch: number;
  /** Era of the partition at its block. */
  readonly era: number;
  readonly offset: number;
  readonly batch: string;
}

/** State of a partition after a record. */
export interface PlainPosition {
  readonly era: number;
  readonly watermarkMs: number;
  readonly points: number;
  readonly latePoints: number;
  readonly duplicatePoints: number;
}

interface PlainLane {
  sequence: number;
  isOpen: boolean;
  isEnded: boolean;
  /** The era that its records name. */
  readonly era: number;
  markMs: number;
  /** The highest mark as far as it counted. */
  credibleMs: number;
}

interface PlainClient {
  floor: number;
  readonly seen: Set<number>;
}

export interface PlainConsumerOptions {
  readonly partition: number;
  readonly latenessMs: number;
  readonly ledger: Pick<Ledger, 'acceptances'>;
}

/**
 * A second, plain implementation of the rules of completeness and of exactly once: sets and maps, without eviction and
 * without stored state. It reads one partition from its first record.
 */
export class PlainConsumer {
  readonly positions: PlainPosition[] = [];
  readonly applied: AppliedPoint[] = [];
  /** References of blocks to `tags`: each needs the tags of these (series, day) below an offset. */
  readonly needs: {
    readonly series: string;
    readonly timeMs: number;
    readonly tagsOffset: number;
    readonly offset: number;
  }[] = [];
  /** Values of points in lost records, and of points whose definitions were in them. */
  readonly lostValues = new Set<number>();
  /** Fences of lanes without earlier records. */
  earlyFences = 0;
  /** Number of opens, and of blocks, after the fence of their lane. */
  openedFenced = 0;
  blocksOfFenced = 0;
  /** Number of blocks of lanes of an earlier era. */
  blocksOfEarlierEras = 0;
  /** Number of blocks whose definitions are for points of later blocks. */
  definitionsAhead = 0;
  readonly #options: PlainConsumerOptions;
  readonly #lanes = new Map<string, PlainLane>();
  readonly #clients = new Map<string, PlainClient>();
  readonly #fenced = new Set<string>();
  /** Series by ref; undefined where the definition was lost. */
  readonly #definitions = new Map<string, (string | undefined)[]>();
  /** Sequences of lanes, and refs of dictionaries, that were lost with their records. */
  readonly #lostSequences = new Set<string>();
  readonly #lostDefinitions = new Set<string>();
  /** Stated intervals by series. */
  readonly #intervalsMs = new Map<string, number>();
  #watermarkMs = Number.NEGATIVE_INFINITY;
  #era = FIRST_ERA;
  #late = 0;
  #duplicates = 0;
  #points = 0;

  constructor(options: PlainConsumerOptions) {
    this.#options = options;
  }

  get offset(): number {
    return this.positions.length;
  }

  /** Number of client sessions. */
  get clientSessions(): number {
    return this.#clients.size;
  }

  get openLanes(): number {
    return [...this.#lanes.values()].filter((lane) => lane.isOpen).length;
  }

  get watermarkMs(): number {
    return this.#watermarkMs;
  }

  /** Applies a record, whose mark counts up to a second after its append time. */
  apply(value: Uint8Array, appendTimeMs: number): void {
    const record = decodeRecord(value);
    if (record.type === RECORD.fence) this.#fence(record);
    else this.#applyOfLane(record, Math.floor(appendTimeMs) + PROTOCOL_TIMES.clockToleranceMs);
    const { points, late, duplicates } = { points: this.#points, late: this.#late, duplicates: this.#duplicates };
    this.positions.push({
      era: this.#era,
      watermarkMs: this.#watermarkMs,
      points,
      latePoints: late,
      duplicatePoints: duplicates,
    });
  }

  /** Passes a record that no store has applied; `lost` are its bytes if it was a record of this log. */
  pass(lost: Uint8Array | undefined): void {
    if (lost !== undefined) this.#lose(decodeRecord(lost));
    const last = this.positions.at(-1) ?? { points: 0, latePoints: 0, duplicatePoints: 0 };
    this.positions.push({ ...last, era: this.#era, watermarkMs: this.#watermarkMs });
  }

  /** Notes what is missing after a record was lost. */
  #lose(record: BlockRecord): void {
    if (record.type === RECORD.fence) return;
    const key = `${toHex(record.session)}.${record.lane}`;
    this.#lostSequences.add(`${key}/${record.sequence}`);
    if (record.type !== RECORD.block) return;
    for (const { dictionary, firstRef, series } of record.definitions) {
      const of = `${key}/${record.epoch}/${dictionary}`;
      for (let i = 0; i < series.length; i++) this.#lostDefinitions.add(`${of}/${firstRef + i}`);
    }
    for (const { share } of record.spans) for (const { value } of pointsOf(share)) this.lostValues.add(value);
  }

  #fence(record: BlockRecord): void {
    const session = toHex(record.session);
    const name = record.lane === ALL_LANES ? session : `${session}.${record.lane}`;
    const isOf = (key: string) => key === name || (record.lane === ALL_LANES && key.startsWith(`${session}.`));
    if (!this.#fenced.has(name) && ![...this.#lanes.keys()].some(isOf)) this.earlyFences++;
    this.#fenced.add(name);
    for (const [key, lane] of this.#lanes) if (this.#isFenced(key)) lane.isOpen = false;
    this.#advance();
  }

  #applyOfLane(record: BlockRecord, maxMarkMs: number): void {
    const key = `${toHex(record.session)}.${record.lane}`;
    let lane = this.#lanes.get(key);
    const { era } = record;
    if (lane === undefined) {
      lane = { sequence: -1, isOpen: false, isEnded: false, era, markMs: -Infinity, credibleMs: -Infinity };
      this.#lanes.set(key, lane);
    }
    if (record.sequence <= lane.sequence) return;
    for (let missing = lane.sequence + 1; missing < record.sequence; missing++) {
      if (this.#lostSequences.has(`${key}/${missing}`)) continue;
      throw new Violation('lane-sequence', `lane ${key} jumps from ${lane.sequence} to ${record.sequence}`);
    }
    const hasLostOpen = lane.sequence < 0 && record.sequence > 0;
    lane.sequence = record.sequence;
    if (era !== lane.era) throw new Violation('lane-era', `lane ${key} changes its era from ${lane.era} to ${era}`);
    if (era > this.#era) {
      this.#era = era;
      this.#watermarkMs = Math.min(this.#watermarkMs, record.eraStartMs);
      for (const other of this.#lanes.values()) if (other.era < era) other.isOpen = false;
    }
    if (era < this.#era && record.type === RECORD.block) this.blocksOfEarlierEras++;
    if (record.type === RECORD.block) this.#applyBlock(record, key);
    const isFenced = this.#isFenced(key);
    if (isFenced && record.type === RECORD.open) this.openedFenced++;
    if (isFenced && record.type === RECORD.block) this.blocksOfFenced++;
    if ((record.type === RECORD.open || hasLostOpen) && !isFenced && !lane.isEnded) lane.isOpen = true;
    if (!isFenced) {
      if (record.markMs < lane.markMs) throw new Violation('mark-goes-back', `lane ${key}: mark ${record.markMs}`);
      lane.markMs = record.markMs;
      lane.credibleMs = Math.max(lane.credibleMs, Math.min(record.markMs, maxMarkMs));
    }
    this.#advance();
    if (record.type !== RECORD.close) return;
    lane.isOpen = false;
    lane.isEnded = true;
    this.#advance();
  }

  /** True for a lane whose promises have ended: by a fence, or because an era began. */
  #isFenced(laneKey: string): boolean {
    if ((this.#lanes.get(laneKey)?.era ?? this.#era) < this.#era) return true;
    return this.#fenced.has(laneKey) || this.#fenced.has(laneKey.slice(0, laneKey.indexOf('.')));
  }

  #advance(): void {
    const marks = [...this.#lanes.values()].filter(({ isOpen }) => isOpen).map(({ credibleMs }) => credibleMs);
    if (marks.length > 0) this.#watermarkMs = Math.max(this.#watermarkMs, Math.min(...marks));
  }

  #applyBlock(record: BlockRecord, lane: string): void {
    for (const { dictionary, firstRef, series } of record.definitions) {
      const key = `${lane}/${record.epoch}/${dictionary}`;
      const table = this.#definitions.get(key) ?? [];
      while (table.length < firstRef && this.#lostDefinitions.has(`${key}/${table.length}`)) table.push(undefined);
      if (firstRef !== table.length)
        throw new Violation('definitions', `${key} continues at ${firstRef}, expected ${table.length}`);
      for (const { seriesId, intervalMs = 0 } of series) {
        const id = toHex(seriesId);
        table.push(id);
        const known = this.#intervalsMs.get(id) ?? intervalMs;
        // No simulated client changes its interval, so every definition of a series states the same.
        if (known !== intervalMs) throw new Violation('definitions', `${id}: interval ${intervalMs}, before ${known}`);
        this.#intervalsMs.set(id, intervalMs);
      }
      this.#definitions.set(key, table);
    }
    if (record.spans.length === 0) this.definitionsAhead++;
    for (const span of record.spans) this.#applySpan(record, lane, span);
  }

  #applySpan(record: BlockRecord, lane: string, span: BlockRecord['spans'][number]): void {
    const { partition, latenessMs } = this.#options;
    const client = toHex(span.clientSession);
    const batch = batchKey(client, span.sequence);
    const points = pointsOf(span.share);
    if (!this.#isFresh(`${span.tenant}/${client}`, span.sequence, span.floor)) {
      this.#duplicates += points.length;
      return;
    }
    const dictionary = `${lane}/${record.epoch}/${span.dictionary}`;
    const table = this.#definitions.get(dictionary) ?? [];
    const offset = this.positions.length;
    for (const { ref, timeMs, value } of points) {
      const series = table[ref];
      if (series === undefined && this.#lostDefinitions.has(`${dictionary}/${ref}`)) {
        this.lostValues.add(value);
        continue;
      }
      if (series === undefined)
        throw new Violation('definitions', `offset ${offset} of ${partition}: ref ${ref} is unknown`);
      this.#points++;
      const isLate = this.#watermarkMs > timeMs + latenessMs;
      const isInTime = this.#isInTime(lane, client, span.sequence, timeMs);
      if (isLate) this.#late++;
      if (isLate && isInTime) {
        throw new Violation(
          'in-time-is-never-late',
          `${batch} was accepted within ${latenessMs} ms of ${timeMs}, the time of a point of ${series}, but the watermark ` +
            `of partition ${partition} before its block, ${offset}, is ${this.#watermarkMs}`,
        );
      }
      const { mapEpoch } = span;
      const intervalMs = this.#intervalsMs.get(series) ?? 0;
      this.applied.push({
        series,
        partition,
        timeMs,
        value,
        isLate,
        isInTime,
        intervalMs,
        mapEpoch,
        era: this.#era,
        offset,
        batch,
      });
      this.needs.push({ series, timeMs, tagsOffset: record.tagsOffset, offset });
    }
  }

  #isFresh(client: string, sequence: number, floor: number): boolean {
    let state = this.#clients.get(client);
    if (state === undefined) {
      state = { floor: 0, seen: new Set() };
      this.#clients.set(client, state);
    }
    state.floor = Math.max(state.floor, floor);
    if (sequence < state.floor || state.seen.has(sequence)) return false;
    state.seen.add(sequence);
    return true;
  }

  /**
   * True when the point was accepted within D of its timestamp by this session, which was not fenced before its block, and
   * whose lane counted before it: where its opening was lost, it counts after its next record.
   */
  #isInTime(lane: string, client: string, sequence: number, timeMs: number): boolean {
    const { ledger, latenessMs, partition } = this.#options;
    if (this.#isFenced(lane) || this.#lanes.get(lane)?.isOpen !== true) return false;
    const session = lane.slice(0, lane.indexOf('.'));
    const accepted = ledger.acceptances(client, sequence, partition).filter((one) => one.session === session);
    return accepted.length > 0 && accepted.every(({ acceptMs }) => acceptMs <= timeMs + latenessMs);
  }
}
