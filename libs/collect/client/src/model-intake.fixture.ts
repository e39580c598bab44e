import { toHex } from '@tidemark/bytes';
import { decodeShare, inspectShare, PointColumns, pointCount, SketchColumns } from '@tidemark/columns';
import {
  Batch,
  BatchResult_Outcome,
  type LocalRefusal,
  type LocalSource,
  type Rejection,
  type SendReply,
  type SendRequest,
  type Series,
  type Share,
  type StatedMetric,
} from '@tidemark/contract';
import { evenMap, metricId, type PartitionMap, packSlots, partitionOf } from '@tidemark/model';
import { type Clock, type Random, TidemarkError } from '@tidemark/ports';
import type { IntakeConnector, IntakeStream, IntakeStreamHandlers } from './intake-connector.ts';

export interface ModelIntakeOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly window?: number;
  /** D of the greeting, ms. */
  readonly latenessMs?: number;
  readonly partitions?: number;
  /** Probabilities of faults, each per message. */
  readonly breaks?: number;
  readonly retries?: number;
  readonly busy?: number;
  /** Probability that a batch is refused as a whole. */
  readonly refuses?: number;
  /** True when the client may give up batches, whose sequences are then below its floor without an answer. */
  readonly givesUp?: boolean;
  /** Why a number is left out when it arrives; undefined for those that are accepted. */
  readonly verdict?: (metric: string, timeMs: number) => string | undefined;
  /** Why a series is refused for as long as the stream that defines it lasts; undefined for those that are accepted. */
  readonly seriesVerdict?: (metric: string) => string | undefined;
  /** How far ahead of the clock a number may be, ms; without it, any. */
  readonly aheadMs?: number;
}

interface ModelSession {
  readonly batches: Map<number, string>;
  /** Sequence/partition of the shares that are stored. */
  readonly applied: Set<string>;
  readonly settled: Set<number>;
  floor: number;
}

export interface Delivered {
  readonly metric: string;
  readonly tags: readonly string[];
  readonly kind: number;
  readonly timeMs: number;
  readonly value: number;
  /** When the batch reached the intake, ms. */
  readonly acceptedMs: number;
}

/** A model of an intake and the platform behind it. It checks every rule of the stream, and records violations. */
export class ModelIntake implements IntakeConnector {
  readonly violations: string[] = [];
  readonly delivered: Delivered[] = [];
  readonly sketches: (Pick<Delivered, 'metric' | 'timeMs' | 'acceptedMs'> & { readonly payload: Uint8Array })[] = [];
  /** Flush intervals that the hellos named. */
  readonly flushIntervals: (number | undefined)[] = [];
  /** What the client refused itself, as it reported last. */
  refusals: readonly LocalRefusal[] = [];
  sources: readonly LocalSource[] = [];
  /** What clients said of metrics. */
  readonly statements: StatedMetric[] = [];
  /** Metric and interval of each definition, in order. */
  readonly statedIntervals: [metric: string, intervalMs: number | undefined][] = [];
  /** Refs that definitions name as those of before a change. */
  readonly restatedRefs: number[] = [];
  readonly sessions = new Map<string, ModelSession>();
  readonly maps: PartitionMap[];
  /** While false, no stream can be opened, and open ones break. */
  up = true;
  /** Address whose intake greets, and answers no batch. */
  mute: string | undefined;
  /** The address that answers no definitions. */
  judgesNothing: string | undefined;
  /** How many messages of definitions each stream gets an answer to. */
  judgedMessages = Number.POSITIVE_INFINITY;
  /** While set, every batch is answered with this outcome. */
  answer: BatchResult_Outcome | undefined;
  resends = 0;
  streams = 0;
  definitions = 0;
  readonly #options: ModelIntakeOptions;
  readonly #open = new Set<ModelStream>();
  /** Received frontiers, by their batch. Each applies to all other batches. */
  readonly #frontiers = new Map<string, number>();

  constructor(options: ModelIntakeOptions) {
    this.#options = options;
    this.maps = [evenMap(options.partitions ?? 4, 1)];
  }

  get options(): ModelIntakeOptions {
    return this.#options;
  }

  /** True to inject no more faults. */
  calm = false;

  chance(probability: number | undefined): boolean {
    return this.#options.random.next() < (probability ?? 0) && !this.calm;
  }

  connect(address: string, handlers: IntakeStreamHandlers): IntakeStream {
    this.streams++;
    const stream = new ModelStream(this, address, handlers);
    this.#open.add(stream);
    if (!this.up) stream.break();
    return stream;
  }

  closed(stream: ModelStream): void {
    this.#open.delete(stream);
  }

  breakAll(): void {
    for (const stream of this.#open) stream.break();
  }

  /** Publishes a new map that routes every slot to another partition. */
  changeMap(): void {
    const last = this.maps[this.maps.length - 1];
    const slots = last.slots.map((partition) => (partition + 1) % last.partitions);
    const map = { epoch: last.epoch + 1, partitions: last.partitions, slots };
    this.maps.push(map);
    for (const stream of this.#open) stream.reply({ message: { $case: 'map', value: wireMap(map) } });
  }

  greeting(): SendReply {
    const map = wireMap(this.maps[this.maps.length - 1]);
    const window = this.#options.window ?? 16;
    const { latenessMs, aheadMs, clock } = this.#options;
    const value = {
      newestMs: aheadMs === undefined ? undefined : Math.floor(clock.wallMs()) + aheadMs,
      intakeSession: Buffer.alloc(16),
      map,
      window,
      maxMessageBytes: 1 << 20,
      tenant: 'acme',
      latenessMs,
    };
    return { message: { $case: 'greeting', value } };
  }

  take(
    id: string,
    batch: Batch,
    defined: ReadonlyMap<string, readonly Series[]>,
    refused: ReadonlyMap<string, string>,
  ): SendReply | undefined {
    const session = this.#sessionOf(id);
    const { sequence, floor, frontierMs } = batch;
    const bytes = toHex(Batch.encode(batch).finish());
    const before = session.batches.get(sequence);
    if (before !== undefined) this.resends++;
    this.check(before === undefined || before === bytes, `${id}:${sequence} sent again with other bytes`);
    this.check(
      floor <= sequence && sequence - floor < (this.#options.window ?? 16),
      `${id}:${sequence} outside of window`,
    );
    this.check(
      before !== undefined || sequence >= session.floor,
      `${id}:${sequence} is new below floor ${session.floor}`,
    );
    for (let lower = session.floor; lower < floor; lower++) {
      const settled = session.settled.has(lower) || this.#options.givesUp || !session.batches.has(lower);
      this.check(settled, `${id}:${sequence} has floor ${floor}, but ${lower} is not settled`);
    }
    session.floor = Math.max(session.floor, floor);
    session.batches.set(sequence, bytes);
    const outcome = this.#outcome();
    const leftOut = this.#leftOut(batch, defined, refused);
    let stored: readonly Share[] = [];
    if (outcome !== BatchResult_Outcome.REFUSED) {
      // A batch to be sent again may be stored in some partitions already.
      const isStored = () => outcome === BatchResult_Outcome.ACKED || this.chance(0.5);
      stored = batch.shares.filter(isStored);
      this.#apply(id, session, { ...batch, shares: [...stored] }, defined, leftOut);
    }
    if (frontierMs !== undefined) this.#frontiers.set(`${id}:${sequence}`, frontierMs);
    if (this.answer === undefined && this.chance(this.#options.busy)) return undefined;
    const isAcked = outcome === BatchResult_Outcome.ACKED;
    const acceptedPoints = isAcked ? batch.shares.reduce((sum, share) => sum + pointsIn(share), 0) - leftOut.size : 0;
    const partitions = new Set(stored.map(({ partition }) => `${partition}`));
    const own = [...leftOut].filter(([point]) => partitions.has(point.split('/')[0]));
    const rejections = rejectionsOf(own.map(([, reason]) => reason));
    const value = { sequence, outcome, acceptedPoints, rejections, retryAfterMs: 20 };
    return { message: { $case: 'batch', value } };
  }

  settled(id: string, sequence: number): void {
    this.#sessionOf(id).settled.add(sequence);
  }

  #outcome(): BatchResult_Outcome {
    if (this.answer !== undefined) return this.answer;
    if (this.chance(this.#options.refuses)) return BatchResult_Outcome.REFUSED;
    return this.chance(this.#options.retries) ? BatchResult_Outcome.RETRY : BatchResult_Outcome.ACKED;
  }

  #sessionOf(id: string): ModelSession {
    let session = this.sessions.get(id);
    if (session === undefined) {
      session = { batches: new Map(), applied: new Set(), settled: new Set(), floor: 0 };
      this.sessions.set(id, session);
    }
    return session;
  }

  /** The points that the verdict leaves out, as partition/ref/time, and why. */
  #leftOut(
    { mapEpoch, shares }: Batch,
    defined: ReadonlyMap<string, readonly Series[]>,
    refused: ReadonlyMap<string, string>,
  ): Map<string, string> {
    const leftOut = new Map<string, string>();
    const { verdict, aheadMs = Number.POSITIVE_INFINITY, clock } = this.#options;
    const newestMs = clock.wallMs() + aheadMs;
    for (const { partition, points: bytes } of shares) {
      const table = defined.get(`${mapEpoch}/${partition}`) ?? [];
      const points = new PointColumns();
      decodeShare(bytes, points, new SketchColumns());
      for (let i = 0; i < points.length; i++) {
        const [ref, timeMs] = [points.refs[i], points.timesMs[i]];
        const reason =
          refused.get(`${mapEpoch}/${partition}/${ref}`) ??
          verdict?.(table[ref]?.metric ?? '', timeMs) ??
          (timeMs > newestMs ? 'timestamp_ahead' : undefined);
        if (reason !== undefined) leftOut.set(`${partition}/${ref}/${timeMs}`, reason);
      }
    }
    return leftOut;
  }

  #apply(
    id: string,
    session: ModelSession,
    batch: Batch,
    defined: ReadonlyMap<string, readonly Series[]>,
    leftOut: ReadonlyMap<string, string>,
  ): void {
    const map = this.maps.find(({ epoch }) => epoch === batch.mapEpoch);
    this.check(map !== undefined, `${id}:${batch.sequence} names map ${batch.mapEpoch}`);
    if (map === undefined) return;
    const own = `${id}:${batch.sequence}`;
    const acceptedMs = this.#options.clock.wallMs();
    const frontierMs = Math.max(
      ...[...this.#frontiers].map(([of, ms]) => (of === own ? Number.NEGATIVE_INFINITY : ms)),
    );
    for (const share of batch.shares) {
      const key = `${batch.sequence}/${share.partition}`;
      if (session.applied.has(key)) continue;
      session.applied.add(key);
      const table = defined.get(`${batch.mapEpoch}/${share.partition}`) ?? [];
      const points = new PointColumns();
      const sketches = new SketchColumns();
      decodeShare(share.points, points, sketches);
      this.#checkOrder(points);
      for (let i = 0; i < points.length; i++) {
        const series = this.#seriesOf(table, points.refs[i], map, share.partition);
        if (series === undefined) continue;
        const { metric, tags, kind } = series;
        const timeMs = points.timesMs[i];
        if (leftOut.has(`${share.partition}/${points.refs[i]}/${timeMs}`)) continue;
        this.check(timeMs >= frontierMs, `${metric} at ${timeMs} is older than frontier ${frontierMs}`);
        this.delivered.push({ metric, tags, kind, timeMs, value: points.values[i], acceptedMs });
      }
      for (let i = 0; i < sketches.length; i++) {
        const series = this.#seriesOf(table, sketches.refs[i], map, share.partition);
        if (series === undefined) continue;
        const payload = Uint8Array.from(sketches.payloads[i]);
        this.sketches.push({ metric: series.metric, timeMs: sketches.timesMs[i], payload, acceptedMs });
      }
    }
  }

  #seriesOf(table: readonly Series[], ref: number, map: PartitionMap, partition: number): Series | undefined {
    const series = table[ref];
    this.check(series !== undefined, `ref ${ref} of partition ${partition} is not defined`);
    if (series === undefined) return undefined;
    const right = partitionOf(map, metricId('acme', series.metric));
    this.check(right === partition, `${series.metric} went to partition ${partition}, not ${right}`);
    return series;
  }

  #checkOrder({ refs, timesMs, length }: PointColumns): void {
    for (let i = 1; i < length; i++) {
      const ordered = refs[i] > refs[i - 1] || (refs[i] === refs[i - 1] && timesMs[i] > timesMs[i - 1]);
      this.check(ordered, `points ${i - 1} and ${i} of a share are out of order`);
    }
  }

  check(holds: boolean, message: string): void {
    if (!holds) this.violations.push(message);
  }
}

/** A stream with delays both ways, which keeps the order until it breaks. */
class ModelStream implements IntakeStream {
  readonly #intake: ModelIntake;
  readonly #address: string;
  readonly #handlers: IntakeStreamHandlers;
  readonly #defined = new Map<string, Series[]>();
  /** Why series are refused, by epoch/partition/ref. */
  readonly #refused = new Map<string, string>();
  #id: string | undefined;
  #over = false;
  /** True after the link was cut: no message passes, and the client soon gets an error. */
  #broken = false;
  #lastMs = 0;
  /** Messages of definitions so far. */
  #judged = 0;
  #waiting: (() => void)[] = [];
  #queued = 0;
  readonly #tasks: (() => void)[] = [];

  constructor(intake: ModelIntake, address: string, handlers: IntakeStreamHandlers) {
    this.#intake = intake;
    this.#address = address;
    this.#handlers = handlers;
  }

  send(request: SendRequest): boolean {
    if (this.#over) return false;
    this.#queued++;
    this.#later(() => {
      if (--this.#queued < 4) for (const resolve of this.#waiting.splice(0)) resolve();
      this.#take(request);
    });
    return this.#queued < 4;
  }

  ready(): Promise<void> {
    if (this.#over || this.#queued < 4) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  close(): void {
    this.#over = true;
    this.#intake.closed(this);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  break(): void {
    if (this.#over || this.#broken) return;
    this.#broken = true;
    this.#intake.options.clock.setTimer(1, () => {
      if (this.#over) return;
      this.close();
      this.#handlers.onEnd(new TidemarkError('unavailable', 'the stream broke'));
    });
  }

  reply(reply: SendReply): void {
    this.#later(() => {
      if (reply.message?.$case === 'batch' && reply.message.value.outcome !== BatchResult_Outcome.RETRY) {
        this.#intake.settled(this.#id ?? '', reply.message.value.sequence);
      }
      this.#handlers.onReply(reply);
    });
  }

  #later(task: () => void): void {
    const { clock, random } = this.#intake.options;
    this.#lastMs = Math.max(this.#lastMs, clock.monotonicMs() + random.next() * 20);
    this.#tasks.push(task);
    clock.setTimer(this.#lastMs - clock.monotonicMs(), () => {
      // Timers of one time fire in any order, but messages must keep theirs.
      const next = this.#tasks.shift();
      if (this.#over || this.#broken || next === undefined) return;
      if (this.#intake.chance(this.#intake.options.breaks)) this.break();
      else next();
    });
  }

  #take({ message }: SendRequest): void {
    const { random, clock } = this.#intake.options;
    if (message?.$case === 'hello') {
      this.#id = toHex(message.value.clientSession);
      this.#intake.flushIntervals.push(message.value.flushIntervalMs);
      this.reply(this.#intake.greeting());
    } else if (message?.$case === 'definitions') {
      const { mapEpoch, partition, firstRef, series } = message.value;
      const key = `${mapEpoch}/${partition}`;
      const table = this.#defined.get(key) ?? [];
      this.#defined.set(key, table);
      this.#intake.check(firstRef === table.length, `definitions of ${key} at ${firstRef}, not ${table.length}`);
      this.#intake.definitions += series.length;
      table.push(...series);
      this.#judge(mapEpoch, partition, firstRef, series);
      for (const { metric, restatesRef } of series) {
        if (restatesRef === undefined) continue;
        this.#intake.restatedRefs.push(restatesRef);
        this.#intake.check(
          table[restatesRef]?.metric === metric,
          `${metric} restates ref ${restatesRef} of another series`,
        );
      }
      this.#intake.statedIntervals.push(
        ...series.map(({ metric, intervalMs }) => [metric, intervalMs] as [string, number | undefined]),
      );
    } else if (message?.$case === 'batch' && this.#id !== undefined) {
      const reply = this.#intake.take(this.#id, message.value, this.#defined, this.#refused);
      // Answers arrive out of order, because partitions differ in speed.
      if (reply !== undefined && this.#address !== this.#intake.mute)
        clock.setTimer(random.next() * 50, () => this.#over || this.reply(reply));
    } else if (message?.$case === 'statements' && this.#id !== undefined) {
      this.#intake.statements.push(...message.value.metrics);
    } else if (message?.$case === 'refusals' && this.#id !== undefined) {
      this.#intake.refusals = message.value.refusals;
      this.#intake.sources = message.value.sources;
    } else {
      this.#intake.check(false, `a ${message?.$case} before hello`);
    }
  }

  /** Refuses series by the verdict, and says which. */
  #judge(mapEpoch: number, partition: number, firstRef: number, series: readonly Series[]): void {
    const refused = series.flatMap(({ metric }, i) => {
      const reason = this.#intake.options.seriesVerdict?.(metric);
      if (reason === undefined) return [];
      this.#refused.set(`${mapEpoch}/${partition}/${firstRef + i}`, reason);
      return [{ ref: firstRef + i, rejection: { ...rejectionsOf([reason])[0], points: 0 } }];
    });
    if (this.#address === this.#intake.judgesNothing || this.#judged++ >= this.#intake.judgedMessages) return;
    this.reply({ message: { $case: 'definitions', value: { mapEpoch, partition, refused } } });
  }
}

function wireMap(map: PartitionMap): { epoch: number; partitions: number; slots: Buffer } {
  return { epoch: map.epoch, partitions: map.partitions, slots: packSlots(map) };
}

function pointsIn({ points }: Share): number {
  return pointCount(inspectShare(points));
}

function rejectionsOf(reasons: readonly string[]): Rejection[] {
  return [...new Set(reasons)].map((reason) => {
    const points = reasons.filter((other) => other === reason).length;
    return { reason, field: 'point', limit: 'the verdict', points, message: reason };
  });
}
