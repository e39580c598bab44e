import type { AggregateReply, GroupPartial } from '@tidemark/contract';
import { packPartial, SERIES_COST, SPACE_FOLD, SpacePartial } from '@tidemark/fold';
import type { SlicedWork } from '@tidemark/ports';
import type { Timeline } from '../read/timeline.ts';
import type { PartitionStore } from '../state/partition-state.ts';
import { FoldFindings } from './fold-findings.ts';
import { type GroupMembers, groupMembers } from './group-members.ts';
import { GroupSums } from './group-sums.ts';
import type { Candidate } from './kept-folds.ts';
import type { OwnTimes } from './own-folder.ts';
import { PairFolder } from './pair-folder.ts';
import { type Found, SeriesFolder } from './series-folder.ts';

/** Values of all groups that are folded at once, so that each page is read once for all of them. */
const VALUES_AT_ONCE = 1_000_000;
/**
 * Costs in units of the cost of a point: of one that is folded with others, of one whose series has times of its own, and of adding a
 * step of a folded series.
 */
const SHARED_COST = 1 / 32;
const OWN_COST = 1 / 4;
const STEP_COST = 1 / 16;
/** Cost of the series that are folded together in one piece: each piece makes objects. */
const PIECE_COST = 1024;

type Findings = Pick<AggregateReply, 'knownThroughMs' | 'intervalMs' | 'usualIntervalMs' | 'restarts' | 'dips'>;

/** Folds the series of a request over time, then those of each group over space, ascending by series. */
export class GroupFolder {
  readonly #store: PartitionStore;
  readonly #found: Found;
  /** With its columns for all steps: made for the first series that is folded alone. */
  #single: SeriesFolder | undefined;
  readonly #findings: FoldFindings;
  pointsRead = 0;
  /** Series with points that were folded one by one. */
  seriesAlone = 0;
  #lacksContext = false;

  constructor(store: PartitionStore, found: Found) {
    this.#store = store;
    this.#found = found;
    this.#findings = new FoldFindings(found.plan, found.position.watermarkMs);
  }

  /** What the answer says of the series apart from their values. */
  get findings(): Findings {
    const { restarts, dips } = this.#single?.counters ?? { restarts: 0, dips: 0 };
    return { ...this.#findings.reply, restarts, dips };
  }

  /** The groups in their order; undefined when a series has fewer timestamps than its fold depends on. */
  *fold(): SlicedWork<GroupPartial[] | undefined, number> {
    const { groups, selection, spaceFold, steps } = this.#found.plan;
    const { size } = selection;
    if (groups.length === 0) return [];
    const ordinalOf = (series: number) => selection.ordinal(series);
    if (spaceFold !== SPACE_FOLD.sketch && groups.length * steps <= VALUES_AT_ONCE) {
      const members = yield* groupMembers(groups, size, ordinalOf);
      return yield* this.#foldGroups(selection.series, members, groups.length);
    }
    const packed: GroupPartial[] = [];
    for (const group of groups) {
      const indices = new Map(Array.from(group, (series, i) => [series, i + 1] as const));
      const members = yield* groupMembers([group], group.length, (series) => indices.get(series) ?? 0);
      const own = yield* this.#foldGroups(group, members, 1);
      if (own === undefined) return undefined;
      packed.push(...own);
    }
    return packed;
  }

  /** Folds ascending series into the groups that they are members of. */
  *#foldGroups(
    series: Uint32Array,
    members: GroupMembers,
    groups: number,
  ): SlicedWork<GroupPartial[] | undefined, number> {
    const { spaceFold, steps } = this.#found.plan;
    const partials: SpacePartial[] = [];
    while (partials.length < groups) {
      partials.push(new SpacePartial(spaceFold, steps));
      yield SERIES_COST;
    }
    const sums = new GroupSums(this.#store.codec, partials, steps);
    const pairs = new PairFolder(this.#store, this.#found, sums);
    try {
      let cost = 0;
      for (let i = 0; i < series.length; ) {
        const taken = this.#foldShared(pairs, series, i, members);
        if (taken === 0) yield* this.#foldAlone(series[i], i, members, partials, sums);
        cost += taken * (SERIES_COST / 4 + steps * STEP_COST);
        if (taken > 0) cost += this.#sharedPoints * (pairs.isOwn ? OWN_COST : SHARED_COST);
        if (this.#lacksContext) return undefined;
        i += Math.max(1, taken);
        if (cost < PIECE_COST && i < series.length) continue;
        yield cost;
        cost = 0;
      }
      sums.finish();
    } finally {
      // Also of a query that was cancelled: the codec would keep all that it found.
      pairs.release();
    }
    const packed: GroupPartial[] = [];
    for (const partial of partials) {
      const { sketches, ...columns } = packPartial(partial);
      packed.push({ ...columns, sketches: [...sketches] });
      yield SERIES_COST + steps;
    }
    return packed;
  }

  *#foldAlone(
    series: number,
    index: number,
    { starts, groups }: GroupMembers,
    partials: readonly SpacePartial[],
    sums: GroupSums,
  ): SlicedWork<void, number> {
    this.#single ??= new SeriesFolder(this.#store, this.#found, this.#findings);
    const single = this.#single;
    const { steps, spaceFold } = this.#found.plan;
    single.points = 0;
    for (let at = starts[index]; at < starts[index + 1]; at++) {
      const own = yield* single.fold(series);
      if (single.lacksContext) {
        this.#lacksContext = true;
        return;
      }
      if (own !== undefined && spaceFold === SPACE_FOLD.sketch) yield* partials[groups[at]].addSeriesInPieces(own);
      else if (own !== undefined) sums.addAlone(groups[at], own);
      this.pointsRead += single.points;
      yield SERIES_COST + single.points + steps;
    }
    if (single.points > 0) this.seriesAlone++;
  }

  /** Points that the last shared fold read. */
  #sharedPoints = 0;

  /** Folds the series at `index`, with the next one if it has the same times. Returns how many it has folded: 0, 1, or 2. */
  #foldShared(pairs: PairFolder, series: Uint32Array, index: number, members: GroupMembers): number {
    const a = series[index];
    const candidate = pairs.candidateOf(a);
    if (candidate === undefined) return 0;
    const isPair = index + 1 < series.length && pairs.candidateOf(series[index + 1]) === candidate;
    const b = isPair ? series[index + 1] : a;
    const times = foldedTimes(pairs, candidate, a, b);
    if (times === undefined) return 0;
    this.#sharedPoints = 0;
    if (this.#lacksSome(candidate.timeline, times, a) || (isPair && this.#lacksSome(candidate.timeline, times, b))) {
      this.#lacksContext = true;
      return isPair ? 2 : 1;
    }
    this.#add(pairs, times, 0, index, members);
    if (isPair) this.#add(pairs, times, 1, index + 1, members);
    return isPair ? 2 : 1;
  }

  /** Whether a series of a timeline has points that its fold depends on, and that were not found. */
  #lacksSome(timeline: Timeline, { lacksOlder, lacksNewer }: OwnTimes, series: number): boolean {
    const { pages } = this.#found;
    return (lacksOlder && pages.hasOlder(series, timeline)) || (lacksNewer && pages.hasNewer(series, timeline));
  }

  #add(
    pairs: PairFolder,
    { length, newest }: OwnTimes,
    result: 0 | 1,
    index: number,
    { starts, groups }: GroupMembers,
  ): void {
    const [from, to] = [starts[index], starts[index + 1]];
    for (let at = from; at < to; at++) pairs.add(result, groups[at]);
    this.pointsRead += length * (to - from);
    this.#sharedPoints += length;
    if (newest !== undefined) this.#findings.add(newest, to - from);
  }
}

/** Folds two series of a candidate, or one twice; undefined where each must be folded alone. */
function foldedTimes(pairs: PairFolder, candidate: Candidate, a: number, b: number): OwnTimes | undefined {
  if (!candidate.isMade && candidate.ownFolds > 0) {
    candidate.ownFolds--;
    const own = pairs.foldOwn(candidate, a, b);
    if (own !== undefined || a === b) return own;
  }
  const shared = pairs.sharedOf(candidate, a);
  return shared !== undefined && pairs.fold(shared, a, b) ? shared : undefined;
}
