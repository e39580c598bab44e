import type { FoldProgram } from '@tidemark/fold';
import type { StatedIntervals } from '@tidemark/model';
import type { HeadView } from '../head/head-view.ts';
import type { Timeline } from '../read/timeline.ts';
import type { HeadPart, SharedFold, SharedPlaces, SharedTimes } from './shared-fold.ts';

/** Bytes that a query keeps of what its series share, about. */
export const KEPT_BYTES = 16 * 1024 * 1024;
const KEPT_OF_TIMELINE = 8;
/** Pairs of a candidate that are folded, each with a program of its own, before what they share is made and kept. */
const OWN_FOLDS = 2;
/** Bytes of the objects of an entry, and of a page in a list, about. */
const ENTRY_BYTES = 512;
const LISTED_BYTES = 16;

/** What series with such times share; nothing where each is folded alone. */
interface KnownTimes {
  readonly times: SharedTimes | undefined;
}

/** A shared fold that is not made before two series have it. */
export interface Candidate {
  readonly timeline: Timeline;
  readonly heads: readonly HeadPart[];
  shared: SharedFold | undefined;
  isMade: boolean;
  /** How many more pairs are folded without it: what few series have is not worth keeping. */
  ownFolds: number;
}

/**
 * What series of a query share, for those that follow: with many steps, and times that differ, far more than memory can hold.
 * When it is full all is dropped, and made again for those that need it: most series have the times of the one before them.
 */
export class KeptFolds {
  /** By timeline. */
  readonly #candidates = new Map<number, Candidate[]>();
  /** By what is stated of series, and by their class and times. */
  readonly #times = new Map<StatedIntervals, Map<string, KnownTimes>>();
  #last: Candidate | undefined;
  /** There is more than can be kept: what is made may be dropped before it is needed again. */
  #wasFull = false;
  /** Of all that is kept, about. */
  bytes = 0;

  /** What the series of a timeline may share which are in the same rows of the head as `series`. */
  candidateOf(timeline: Timeline, series: number, views: readonly HeadView[]): Candidate {
    const last = this.#last;
    if (last?.timeline === timeline && isOfHeads(last.heads, series, views)) return last;
    this.#last = this.#find(timeline, series, views);
    return this.#last;
  }

  /** What was added of series with such times; undefined where nothing is kept. */
  timesOf(stated: StatedIntervals, key: string): KnownTimes | undefined {
    return this.#times.get(stated)?.get(key);
  }

  /** Adds what series with the times of `key` share; without a key it is only counted, as a part of its candidate. */
  addTimes(stated: StatedIntervals, key: string | undefined, times: SharedTimes | undefined): void {
    this.#count(ENTRY_BYTES + (times === undefined ? 0 : programBytes(times.program)));
    if (key === undefined) return;
    const known = this.#times.get(stated) ?? new Map<string, KnownTimes>();
    this.#times.set(stated, known.set(key, { times }));
  }

  /** Counts the places of a candidate. */
  countPlaces({ parts }: SharedPlaces): void {
    for (const { pages } of parts) this.#count(ENTRY_BYTES + LISTED_BYTES * pages.length);
  }

  #find(timeline: Timeline, series: number, views: readonly HeadView[]): Candidate {
    const known = this.#candidates.get(timeline.number) ?? [];
    const found = known.find(({ heads }) => isOfHeads(heads, series, views));
    if (found !== undefined) return found;
    // Of a timeline that enough series have the first candidate would be made anyway, unless the heads of these differ.
    const isCommon = known.length === 0 && timeline.sharers > 2 * OWN_FOLDS && !this.#wasFull;
    const ownFolds = isCommon ? 0 : OWN_FOLDS;
    const candidate = { timeline, heads: headsOf(series, views), shared: undefined, isMade: false, ownFolds };
    if (known.length === KEPT_OF_TIMELINE) return candidate;
    this.#count(ENTRY_BYTES);
    const own = this.#candidates.get(timeline.number) ?? [];
    this.#candidates.set(timeline.number, own);
    own.push(candidate);
    return candidate;
  }

  /** Counts what is about to be kept, and drops all the rest where that would be too much. */
  #count(bytes: number): void {
    if (this.bytes + bytes > KEPT_BYTES) {
      // The last candidate alone stays known to its series.
      this.#candidates.clear();
      this.#times.clear();
      this.#wasFull = true;
      this.bytes = 0;
    }
    this.bytes += bytes;
  }
}

function programBytes({ records, durationsMs, weights, present, lastTimesMs, counts }: FoldProgram): number {
  const columns = [records, durationsMs, weights, present, lastTimesMs];
  return columns.reduce((bytes, { byteLength }) => bytes + byteLength, counts?.byteLength ?? 0);
}

/** Whether the points of a series in the head are in the first rows of these. */
function isOfHeads(heads: readonly HeadPart[], series: number, views: readonly HeadView[]): boolean {
  let next = 0;
  for (const view of views) {
    const count = view.countOf(series);
    if (count === 0) continue;
    if (next === heads.length) return false;
    const head = heads[next++];
    if (head.view !== view || head.count !== count || head.times !== view.timesOf(series)) return false;
  }
  return next === heads.length;
}

function headsOf(series: number, views: readonly HeadView[]): HeadPart[] {
  return views.flatMap((view) => {
    const count = view.countOf(series);
    return count === 0 ? [] : [{ view, count, times: view.timesOf(series) }];
  });
}
