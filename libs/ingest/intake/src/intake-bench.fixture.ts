import { ByteWriter, toHex } from '@tidemark/bytes';
import { encodeShare, PointColumns, SketchColumns } from '@tidemark/columns';
import type { SendReply, SendRequest, Series } from '@tidemark/contract';
import { ControlFollower, type ControlMessage, ControlWriter, decodeControl } from '@tidemark/control-log';
import { openEmbeddedLog } from '@tidemark/embedded-log';
import {
  DEFAULT_POINT_LIMITS,
  evenMap,
  type MetricChange,
  metricId,
  packSlots,
  partitionOf,
  type StatedSource,
} from '@tidemark/model';
import { type BlockRecord, decodeRecord } from '@tidemark/point-records';
import { type Clock, type Log, type LogRecord, movedError, sleep, TidemarkError, type Topic } from '@tidemark/ports';
import { type NodeClock, SimulatedWorld } from '@tidemark/simulation';
import { readTagRecord, type TagRecordVisitor } from '@tidemark/tag-records';
import type { ClientStream } from './client-stream.ts';
import { DEFAULT_INTAKE_LIMITS, DEFAULT_LANE_TIMING } from './intake-limits.ts';
import { type IntakeOptions, IntakeSession } from './intake-session.ts';
import { openStream } from './open-streams.ts';

export const TENANT = 't';
export const PARTITIONS = 2;
const READ = { maxBytes: 1 << 20, waitMs: 0 };

/** A log on a simulated disk that can refuse appends, and a clock that a test advances. */
export class IntakeBench {
  readonly world: SimulatedWorld;
  readonly clock: Clock;
  readonly log: Log;
  /** Topics (`control`), or partitions of one (`points/1`), whose appends fail with `unavailable`. */
  readonly unreachable = new Set<string>();
  unreachableError = new TidemarkError('unavailable', 'the log is unreachable');
  /** Topics or partitions whose appends fail because the folder of the log was moved. */
  readonly moved = new Set<string>();
  /** Topics or partitions whose appends fail because the log is full. */
  readonly full = new Set<string>();
  /** The error of a full log. */
  fullError = new TidemarkError('resource_exhausted', 'the log is full');
  /** Bytes above which the log refuses a record. */
  refusedAboveBytes = Number.POSITIVE_INFINITY;
  /** Gets each value that is appended. */
  onAppend: ((topic: Topic, value: Uint8Array) => void) | undefined;
  /** Time until an append reaches the log, ms. */
  slowMs = 0;
  /** Time until the answer to an append arrives, ms. */
  slowAckMs = 0;
  /** Time by which the session's clock is ahead of the log's, ms. */
  skewMs = 0;
  /** Time by which the clock of single places' brokers is ahead of the others', ms, by topic and partition. */
  readonly brokerAheadMs = new Map<string, number>();
  readonly acceptClock = { nowMs: () => Math.floor(this.clock.wallMs()) + this.skewMs };
  readonly #log: Log;

  /** The clock of the log's machine. */
  readonly logClock: NodeClock;

  private constructor(world: SimulatedWorld, log: Log, logClock: NodeClock) {
    this.world = world;
    this.logClock = logClock;
    this.clock = world.clock;
    this.#log = log;
    this.log = {
      writer: async (topic, partition) => {
        const writer = await log.writer(topic, partition);
        return {
          append: async (sequence, value) => {
            if (this.unreachable.has(topic) || this.unreachable.has(`${topic}/${partition}`)) {
              await sleep(this.clock, 10);
              throw this.unreachableError;
            }
            if (this.moved.has(topic) || this.moved.has(`${topic}/${partition}`)) {
              throw movedError('the folder was moved', 'log');
            }
            if (this.full.has(topic) || this.full.has(`${topic}/${partition}`)) {
              throw this.fullError;
            }
            if (value.length > this.refusedAboveBytes) {
              throw new TidemarkError('invalid_argument', `the log refuses a record of ${value.length} bytes`);
            }
            this.onAppend?.(topic, value);
            if (this.slowMs > 0) await sleep(this.clock, this.slowMs);
            const appended = await writer.append(sequence, value);
            if (this.slowAckMs > 0) await sleep(this.clock, this.slowAckMs);
            const aheadMs = this.brokerAheadMs.get(`${topic}/${partition}`) ?? 0;
            return { ...appended, appendTimeMs: appended.appendTimeMs + aheadMs };
          },
        };
      },
      read: (topic, partition, from, options) => log.read(topic, partition, from, options),
      bounds: (topic, partition) => log.bounds(topic, partition),
      trim: (topic, partition, before) => log.trim(topic, partition, before),
    };
  }

  static async open(): Promise<IntakeBench> {
    const world = new SimulatedWorld({ seed: 1 });
    const node = world.node('log');
    const partitions = { points: PARTITIONS, tags: PARTITIONS, control: 1 };
    let bench: IntakeBench | undefined;
    node
      .start(({ clock, disk, random }) => openEmbeddedLog({ clock, disk, random, partitions }))
      .then((log) => {
        bench = new IntakeBench(world, log, node.clock);
      });
    await world.clock.run(() => bench !== undefined, 10_000);
    if (bench === undefined) throw new Error('the log did not open');
    const { slots, epoch } = evenMap(PARTITIONS);
    const map = { epoch, partitions: PARTITIONS, slots: packSlots({ epoch, partitions: PARTITIONS, slots }) };
    await bench.decide({ $case: 'term', value: { term: 1, process: 'test' } });
    await bench.decide({ $case: 'map', value: { term: 1, expectedEpoch: 0, map } });
    return bench;
  }

  /** Waits for `work` while time passes. */
  async play<T>(work: Promise<T>, deadlineMs = 60_000): Promise<T> {
    let isDone = false;
    const done = work.finally(() => {
      isDone = true;
    });
    done.catch(() => undefined);
    await this.world.clock.run(() => isDone, deadlineMs);
    return done;
  }

  advance(durationMs: number): Promise<void> {
    return this.world.clock.advance(durationMs);
  }

  /** Advances time until the condition holds, with a check every 10 ms, since a change by time alone sets no timer. */
  async until(condition: () => boolean, deadlineMs = 20_000): Promise<void> {
    const endMs = this.clock.monotonicMs() + deadlineMs;
    while (!condition()) {
      if (this.clock.monotonicMs() > endMs) throw new Error(`the condition did not hold within ${deadlineMs} ms`);
      await this.advance(10);
    }
  }

  async decide(message: ControlMessage): Promise<void> {
    await this.play(new ControlWriter(this.#log, this.clock).append(message));
  }

  /** Starts a session and waits until it has registered. */
  async session(options: Partial<IntakeOptions> = {}): Promise<IntakeSession> {
    const { session, starting } = await this.startingSession(options);
    await this.play(starting);
    return session;
  }

  /** Begins to start a session. */
  async startingSession(options: Partial<IntakeOptions> = {}) {
    const control = new ControlFollower(this.#log, this.clock);
    await this.play(control.start());
    const session = new IntakeSession({
      ...{ log: this.log, control, clock: this.clock, acceptClock: this.acceptClock, random: this.world.random },
      process: 'test',
      limits: { ...DEFAULT_INTAKE_LIMITS, ...DEFAULT_POINT_LIMITS },
      timing: DEFAULT_LANE_TIMING,
      knownSeries: async (_partition, _tenant, ids) => ids.map(() => false),
      ...options,
    });
    return { session, starting: session.start() };
  }

  async points(partition: number): Promise<BlockRecord[]> {
    return (await this.records('points', partition)).map(({ value }) => decodeRecord(value));
  }

  async tags(partition: number): Promise<number> {
    return (await this.records('tags', partition)).length;
  }

  /** What was stated of metrics in a partition, in the order of the log. */
  async statements(partition: number): Promise<[metric: string, source: StatedSource, change: MetricChange][]> {
    const stated: [string, StatedSource, MetricChange][] = [];
    for (const { value } of await this.records('tags', partition)) {
      const nothing = () => undefined;
      const statement: TagRecordVisitor['statement'] = (_, metric, ...said) => stated.push([metric, ...said]);
      readTagRecord(value, { series: nothing, day: nothing, statement });
    }
    return stated;
  }

  /** Ids of the series that were named in a partition, in hex, in the order of the log. */
  async named(partition: number): Promise<string[]> {
    const ids: string[] = [];
    const nothing = () => undefined;
    for (const { value } of await this.records('tags', partition)) {
      readTagRecord(value, { series: (id) => ids.push(toHex(id)), day: nothing, statement: nothing });
    }
    return ids;
  }

  async control(): Promise<ControlMessage[]> {
    return (await this.records('control', 0)).map(({ value }) => decodeControl(value));
  }

  async records(topic: Topic, partition: number): Promise<LogRecord[]> {
    const { next } = await this.play(this.#log.bounds(topic, partition));
    const records: LogRecord[] = [];
    while (records.length < next) {
      const read = await this.play(this.#log.read(topic, partition, records.length, READ));
      records.push(...read.map((record) => ({ ...record, value: Uint8Array.from(record.value) })));
    }
    return records;
  }
}

/** Returns a metric of a partition. */
export function metricIn(partition: number, prefix = 'm'): string {
  const map = evenMap(PARTITIONS);
  for (let i = 0; ; i++) if (partitionOf(map, metricId(TENANT, `${prefix}${i}`)) === partition) return `${prefix}${i}`;
}

export type ListedPoint = readonly [ref: number, timeMs: number, value: number | Uint8Array];

export function shareOf(...list: readonly ListedPoint[]): Buffer {
  const points = new PointColumns();
  const sketches = new SketchColumns();
  for (const [ref, timeMs, value] of list) {
    if (typeof value === 'number') points.push(ref, timeMs, value);
    else sketches.push(ref, timeMs, value);
  }
  const out = new ByteWriter();
  encodeShare(points, sketches, out);
  return Buffer.from(out.take());
}

/** A client on one stream of a session. */
export class BenchClient {
  readonly replies: NonNullable<SendReply['message']>[] = [];
  readonly id = Buffer.alloc(16, 9);
  readonly #bench: IntakeBench;
  readonly #stream: ClientStream;
  #sequence = 0;

  constructor(bench: IntakeBench, session: IntakeSession) {
    this.#bench = bench;
    this.#stream = openStream(session, TENANT, ({ message }) => {
      if (message !== undefined) this.replies.push(message);
    });
  }

  send(message: SendRequest['message']): Promise<void> {
    return this.#bench.play(this.#stream.receive({ message }));
  }

  async hello(): Promise<void> {
    await this.send({ $case: 'hello', value: { clientSession: this.id, clientName: 'bench' } });
  }

  close(): void {
    this.#stream.close();
  }

  define(partition: number, firstRef: number, series: readonly Series[], mapEpoch = 1): Promise<void> {
    return this.send({ $case: 'definitions', value: { mapEpoch, partition, firstRef, series: [...series] } });
  }

  /** Sends a batch and returns its sequence. */
  async batch(
    shares: readonly { partition: number; points: Buffer }[],
    stamp: { sequence?: number; mapEpoch?: number; floor?: number; stampedMs?: number } = {},
  ): Promise<number> {
    const sequence = stamp.sequence ?? this.#sequence++;
    const { mapEpoch = 1, floor = 0, stampedMs = this.#bench.acceptClock.nowMs() } = stamp;
    const value = { sequence, mapEpoch, floor, frontierMs: undefined, stampedMs, shares: [...shares] };
    await this.send({ $case: 'batch', value });
    return sequence;
  }

  /** Returns the answer to a batch, if there is one. */
  answer(sequence: number) {
    for (const reply of this.replies) {
      if (reply.$case === 'batch' && reply.value.sequence === sequence) return reply.value;
    }
    return undefined;
  }

  async answered(sequence: number) {
    await this.#bench.until(() => this.answer(sequence) !== undefined);
    const answer = this.answer(sequence);
    if (answer === undefined) throw new Error('no answer');
    return answer;
  }
}
