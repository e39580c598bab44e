import type { ColumnPlan } from './column-plan.ts';
import type { RawBatch } from './raw-batch.ts';
import type { SessionStream } from './session-stream.ts';

/** Of a series that no batch has. */
const NEVER = -(2 ** 31);

/** What a batch is divided by. */
export interface Knowledge {
  readonly stream: SessionStream;
  /** Of the map that the next batches are stamped by. */
  readonly epoch: number;
  /** True for a series that the intake of the stream has judged under this epoch. */
  readonly isJudged: (series: number) => boolean;
  /** All batches below this number were sent on the stream, or given up. */
  readonly unsent: number;
  /** Number of the next batch. */
  readonly nextNumber: number;
}

/**
 * The known series of a client session: the intake of its stream has judged their definitions. Their points go in batches
 * of their own, which do not wait for the definitions of other series. Not so while an earlier batch that has a series
 * waits: the last point of a series and timestamp is the one that stands.
 */
export class KnownSeries {
  /** The last batch that had a series: its number, or `~number` of one that may have other series than known ones. */
  #lastBatches = new Int32Array(0);
  /** The part of the batch that was divided last that has known series only. */
  #first: RawBatch | undefined;
  #stream: SessionStream | undefined;
  #epoch = 0;
  /** The first batch that was divided by the present stream and epoch: what was known of earlier ones no longer holds. */
  #since = 0;
  #group = {};
  /** The last batch that may have other series than known ones. */
  #lastOther = -1;
  /** Lists whose series were all known once, by the present stream and epoch: only a batch with others changes that. */
  #knownPlans = new WeakSet<ColumnPlan>();

  /** Divides a batch into points of known series and those of others. Without a stream no series is known. */
  divide(batch: RawBatch, knowledge: Knowledge | undefined): RawBatch[] {
    this.#first = undefined;
    if (knowledge === undefined) return [batch];
    this.groupOf(knowledge);
    if (this.#hasKnownOnly(batch, knowledge)) {
      this.#first = batch;
      return [batch];
    }
    const parts = batch.divide((series) => this.#isKnown(series, knowledge));
    [this.#first] = parts;
    return parts.filter(({ points }) => points > 0);
  }

  /** Stands for a stream and an epoch: batches of it need not wait for those of no group, or of another one. */
  groupOf({ stream, epoch, nextNumber }: Pick<Knowledge, 'stream' | 'epoch' | 'nextNumber'>): object {
    if (stream === this.#stream && epoch === this.#epoch) return this.#group;
    [this.#stream, this.#epoch, this.#since, this.#group] = [stream, epoch, nextNumber, {}];
    this.#knownPlans = new WeakSet();
    return this.#group;
  }

  /** Notes the number of a batch that was not sent. Returns its group, if it has known series only. */
  add(batch: RawBatch, number: number): object | undefined {
    const isFirst = batch === this.#first;
    if (!isFirst) this.#lastOther = number;
    const mark = isFirst ? number : ~number;
    for (const { numbers } of batch.plans) this.#mark(numbers, mark);
    for (const numbers of batch.looseNumbers) this.#mark(numbers, mark);
    return isFirst ? this.#group : undefined;
  }

  /** A loop of its own: a call for each point costs more than to encode it. */
  #mark(numbers: Uint32Array, mark: number): void {
    let end = 0;
    for (let i = 0; i < numbers.length; i++) if (numbers[i] >= end) end = numbers[i] + 1;
    this.#cover(end);
    const lastBatches = this.#lastBatches;
    for (let i = 0; i < numbers.length; i++) lastBatches[numbers[i]] = mark;
  }

  #hasKnownOnly(batch: RawBatch, knowledge: Knowledge): boolean {
    const noneWaits = this.#lastOther < knowledge.unsent;
    const isKnown = (series: number) => this.#isKnown(series, knowledge);
    for (const plan of batch.plans) {
      if (noneWaits && this.#knownPlans.has(plan)) continue;
      if (!plan.numbers.every(isKnown)) return false;
      this.#knownPlans.add(plan);
    }
    return batch.looseNumbers.every((numbers) => numbers.every(isKnown));
  }

  #isKnown(series: number, { isJudged, unsent }: Knowledge): boolean {
    if (!isJudged(series)) return false;
    if (series >= this.#lastBatches.length) return true;
    const last = this.#lastBatches[series];
    if (last >= this.#since || last === NEVER) return true;
    return (last < 0 ? ~last : last) < unsent;
  }

  #cover(series: number): void {
    const { length } = this.#lastBatches;
    if (series <= length) return;
    const larger = new Int32Array(Math.max(series, length * 2)).fill(NEVER, length);
    larger.set(this.#lastBatches);
    this.#lastBatches = larger;
  }
}
