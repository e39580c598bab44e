import { type FoldProgram, hasProgram } from '@tidemark/fold';
import { SERIES_CLASS } from '@tidemark/model';
import { columnBytes, type Occupant, type PageCodec } from '../pages/page-codec.ts';
import type { PartitionStore } from '../state/partition-state.ts';
import type { GroupSums } from './group-sums.ts';
import { type Candidate, KeptFolds } from './kept-folds.ts';
import { noResults, OwnFolder, type OwnTimes } from './own-folder.ts';
import type { Found } from './series-folder.ts';
import {
  type SharedFold,
  type SharedPlaces,
  type SharedTimes,
  sharedPlaces,
  sharedTimes,
  timesKey,
} from './shared-fold.ts';
import { SlotColumns } from './slot-columns.ts';

/** With more steps than this what series share takes more memory than folding alone saves time. */
const STEPS = 8192;

/**
 * Folds series with the same times two at a time, in the memory of the thread's decoder: their values are neither copied nor
 * handled one by one. It takes series whose points follow each other, from page to page and in the head.
 */
export class PairFolder implements Occupant {
  readonly #store: PartitionStore;
  readonly #found: Found;
  readonly #codec: PageCodec;
  readonly #kept = new KeptFolds();
  /** What lies in the decoder's memory: what this fold needs, and pages of that generation. */
  #loaded: SharedFold | undefined;
  #behindSums = 0;
  #program: FoldProgram | undefined;
  #behindProgram = 0;
  readonly #slots: SlotColumns;
  #columns: [number, number] = [0, 0];
  readonly #results = noResults();
  readonly #own: OwnFolder;
  /** The last fold made its own program. */
  isOwn = false;
  readonly #sums: GroupSums;

  /** `sums` are in the decoder's memory while the folder has it. */
  constructor(store: PartitionStore, found: Found, sums: GroupSums) {
    this.#sums = sums;
    this.#store = store;
    this.#found = found;
    this.#codec = store.codec;
    this.#slots = new SlotColumns(store.codec, found.pages);
    this.#own = new OwnFolder(store, found);
  }

  /** What a series may share with others; undefined when it must be folded alone. */
  candidateOf(series: number): Candidate | undefined {
    const { plan, pages, views } = this.#found;
    const seriesClass = this.#store.table.seriesClass(series);
    if (seriesClass === SERIES_CLASS.distribution || plan.steps > STEPS) return undefined;
    if (!hasProgram(plan.timeFold)) return undefined;
    return this.#kept.candidateOf(pages.timelineOf(series), series, views);
  }

  /** What the series of a candidate share; undefined when each must be folded alone. */
  sharedOf(candidate: Candidate, series: number): SharedFold | undefined {
    if (candidate.isMade) return candidate.shared;
    candidate.isMade = true;
    const places = sharedPlaces(candidate.timeline, candidate.heads);
    const times = places && this.#timesOf(places, series);
    if (places === undefined || times === undefined) return undefined;
    this.#kept.countPlaces(places);
    candidate.shared = { ...places, ...times };
    return candidate.shared;
  }

  /** What the fold does with values of such times: the same for all of equal times, wherever they are. */
  #timesOf(places: SharedPlaces, series: number): SharedTimes | undefined {
    const { plan, pages, intervals } = this.#found;
    const isAmount = this.#store.table.seriesClass(series) === SERIES_CLASS.count;
    const stated = intervals.of(series);
    const described = timesKey(places);
    const key = described && `${isAmount} ${described}`;
    const known = key === undefined ? undefined : this.#kept.timesOf(stated, key);
    if (known !== undefined) return known.times;
    const times = sharedTimes(places, {
      plan,
      options: { ...plan, fold: plan.timeFold, isAmount },
      stated,
      neededSinceMs: pages.neededSinceMs(series),
    });
    this.#kept.addTimes(stated, key, times);
    return times;
  }

  /**
   * Folds two series of a candidate, or one twice, whose program is not kept. Undefined where they must be folded in another
   * way.
   */
  foldOwn(candidate: Candidate, a: number, b: number): OwnTimes | undefined {
    const places = sharedPlaces(candidate.timeline, candidate.heads);
    if (places === undefined) return undefined;
    this.#enter();
    this.#loaded = undefined;
    this.#program = undefined;
    this.isOwn = true;
    return this.#own.fold(places, a, b, this.#behindSums);
  }

  /** Folds two series of a shared fold, or one twice. False where they must be folded alone. */
  fold(shared: SharedFold, a: number, b: number): boolean {
    const { decoder, folds } = this.#codec;
    const { plan } = this.#found;
    const slots = this.#slots;
    if (!this.#load(shared)) return false;
    const [columnA, columnB] = this.#columns;
    slots.areWhole = true;
    if (!slots.decode(shared, a, columnA)) return false;
    if (a !== b && !slots.decode(shared, b, columnB)) return false;
    const from = 8 * shared.from;
    if (!folds.run(columnA + from, (a === b ? columnA : columnB) + from, slots.areWhole)) return false;
    const { floats } = decoder;
    const [one, other] = this.#results;
    if (one.values.buffer !== floats.buffer || one.values.byteOffset !== folds.outA) {
      one.values = floats.subarray(folds.outA / 8, folds.outA / 8 + plan.steps);
      other.values = floats.subarray(folds.outB / 8, folds.outB / 8 + plan.steps);
    }
    return true;
  }

  /** Puts what a shared fold needs into the memory, unless it is there. False where its pages don't fit. */
  #load(shared: SharedFold): boolean {
    const { decoder, folds } = this.#codec;
    const { program, parts, length } = shared;
    this.#enter();
    this.isOwn = false;
    if (shared === this.#loaded && this.#slots.isValid) return true;
    this.#loaded = undefined;
    if (program !== this.#program) {
      this.#program = program;
      this.#own.leave();
      this.#behindProgram = folds.load(this.#found.plan.timeFold, program, this.#behindSums);
    }
    const at = this.#slots.load(parts, this.#behindProgram);
    if (at === undefined) return false;
    this.#columns = [at, at + columnBytes(length)];
    decoder.kernel.reserve(at + 2 * columnBytes(length));
    this.#loaded = shared;
    for (const one of this.#results) {
      one.present = program.present;
      one.lastTimesMs = program.lastTimesMs;
      one.first = program.first;
      one.end = program.end;
    }
    return true;
  }

  /** Makes the memory that of this folder. */
  #enter(): void {
    if (!this.#codec.occupy(this)) return;
    this.#loaded = undefined;
    this.#program = undefined;
    this.#own.leave();
    this.#behindSums = this.#sums.enter(this.#codec.foldAt);
  }

  /** Another folder takes the memory. */
  leave(): void {
    this.#sums.leave();
  }

  /** Gives the memory back; what is left in it is lost. */
  release(): void {
    this.#codec.vacate(this);
  }

  /** Adds a result of the last fold to a group. */
  add(result: 0 | 1, group: number): void {
    const { folds } = this.#codec;
    const values = result === 0 ? folds.outA : folds.outB;
    if (this.isOwn) this.#sums.addOwn(group, this.#own.results[result], values);
    else this.#sums.addShared(group, this.#results[result], values);
  }
}
