import { canMakeProgram, type FoldedSeries, ReportingIntervals } from '@tidemark/fold';
import { SERIES_CLASS } from '@tidemark/model';
import { columnBytes } from '../pages/page-codec.ts';
import type { PartitionStore } from '../state/partition-state.ts';
import { contextRange } from './context-range.ts';
import type { Found } from './series-folder.ts';
import { lengthOf, newestOf, type SharedPlaces, type SharedTimes, timesOf } from './shared-fold.ts';
import { SlotColumns } from './slot-columns.ts';

/** Points of a series at most: all of them are folded in one piece. */
const POINTS = 65_536;

/** What is known of series whose program lies in the memory. */
export type OwnTimes = Omit<SharedTimes, 'program' | 'from'>;

/** A folded series whose fields a folder sets again for each series. */
type Folded = { -readonly [field in keyof FoldedSeries]: FoldedSeries[field] };

/** The results of a folder of pairs before its first fold. */
export function noResults(): [Folded, Folded] {
  const nothing = { values: NOTHING, present: NO_STEPS, lastTimesMs: NOTHING, first: 0, end: 0, ...NO_SKETCHES };
  return [{ ...nothing }, { ...nothing }];
}

const NOTHING = new Float64Array(0);
const NO_STEPS = new Uint8Array(0);
const NO_SKETCHES = { packed: [], packedSteps: [] };

/**
 * Folds series with times that few others have, one after the other, in the memory of the thread's decoder: their times go there as
 * their values do, and the program of each is made there and not kept.
 */
export class OwnFolder {
  readonly #store: PartitionStore;
  readonly #found: Found;
  readonly #columns: SlotColumns;
  readonly #intervals: ReportingIntervals;
  readonly #isPossible: boolean;
  /** Where what is the same for all series lies, and the first address behind it; 0 when it has to be put there. */
  #at = 0;
  #behind = 0;
  readonly results = noResults();

  constructor(store: PartitionStore, found: Found) {
    const { plan } = found;
    this.#store = store;
    this.#found = found;
    this.#columns = new SlotColumns(store.codec, found.pages);
    this.#intervals = new ReportingIntervals(plan.intervalMs);
    this.#isPossible = canMakeProgram({ ...plan, fold: plan.timeFold, isAmount: false });
  }

  /** Another one has used the memory. */
  leave(): void {
    this.#at = 0;
  }

  /**
   * Folds two series with the same times into `results`, or one into both, in the memory from address `at` on. Undefined
   * where each must be folded in another way.
   */
  fold(places: SharedPlaces, a: number, b: number, at: number): OwnTimes | undefined {
    const { codec, table } = this.#store;
    const { plan, pages, intervals } = this.#found;
    const { decoder, folds, programs } = codec;
    const { kernel } = decoder;
    const length = lengthOf(places);
    if (!this.#isPossible || length === 0 || length > POINTS) return undefined;
    this.#enter(at);
    const columns = this.#columns;
    const timesAt = columns.load(places.parts, this.#behind);
    if (timesAt === undefined) return undefined;
    const bytes = columnBytes(length);
    const valuesA = timesAt + bytes;
    const valuesB = a === b ? valuesA : valuesA + bytes;
    const behind = valuesB + bytes;
    kernel.reserve(behind);
    timesOf(places, kernel.floats, timesAt / 8);
    if (!programs.ascends(timesAt, length)) return undefined;
    const timesMs = kernel.floats.subarray(timesAt / 8, timesAt / 8 + length);
    const range = contextRange(plan, pages.neededSinceMs(a), timesMs, length);
    const from = Math.max(0, range.from);
    const to = Math.min(length, range.to);
    if (from >= to) return undefined;
    const isAmount = table.seriesClass(a) === SERIES_CLASS.count;
    const stated = intervals.of(a);
    if (!programs.make(isAmount, timesAt + 8 * from, to - from, stated, behind)) return undefined;
    columns.areWhole = true;
    if (!columns.decode(places, a, valuesA)) return undefined;
    if (a !== b && !columns.decode(places, b, valuesB)) return undefined;
    folds.use(plan.timeFold, programs.place);
    if (!folds.run(valuesA + 8 * from, valuesB + 8 * from, columns.areWhole)) return undefined;
    this.#setResults();
    const own = (address: number) => kernel.floats.subarray(address / 8 + from, address / 8 + to);
    const newest = newestOf(this.#intervals, own(timesAt), own(valuesA), plan, isAmount, stated);
    return { length, lacksOlder: range.from < 0, lacksNewer: range.to > length, newest };
  }

  #enter(at: number): void {
    if (this.#at === at) return;
    const { plan } = this.#found;
    this.#at = at;
    this.#behind = this.#store.codec.programs.begin({ ...plan, fold: plan.timeFold, isAmount: false }, at);
  }

  #setResults(): void {
    const { decoder, programs, folds } = this.#store.codec;
    const { floats, bytes } = decoder.kernel;
    const { steps } = this.#found.plan;
    const { presentAt, lastTimesAt, first, end } = programs;
    this.results.forEach((one, i) => {
      const out = i === 0 ? folds.outA : folds.outB;
      if (one.values.buffer !== floats.buffer || one.values.byteOffset !== out) {
        one.values = floats.subarray(out / 8, out / 8 + steps);
        one.present = bytes.subarray(presentAt, presentAt + steps);
        one.lastTimesMs = floats.subarray(lastTimesAt / 8, lastTimesAt / 8 + steps);
      }
      one.first = first;
      one.end = end;
    });
  }
}
