import type { AggregateReply, GroupPartial } from '@tidemark/contract';
import { type FoldedSeries, packPartial, SERIES_COST, SPACE_FOLD, SpacePartial } from '@tidemark/fold';
import type { SlicedWork } from '@tidemark/ports';
import { FoldFindings } from './fold-findings.ts';
import { GroupMembers } from './group-members.ts';
import { PairFolder } from './pair-folder.ts';
import type { PartitionStore } from './partition-state.ts';
import { type Found, SeriesFolder } from './series-folder.ts';
import type { SharedFold } from './shared-fold.ts';

/** Values of all groups that are folded at once, so that each page is read once for all of them. */
const VALUES_AT_ONCE = 1_000_000;
/** Cost of a point that is folded with others, and of adding a step of a folded series, in units of the cost of a point. */
const SHARED_COST = 1 / 16;
const STEP_COST = 1 / 8;

/** Folds the series of a request over time, then those of each group over space, ascending by series. */
export class GroupFolder {
  readonly #found: Found;
  readonly #single: SeriesFolder;
  readonly #pairs: PairFolder;
  readonly #findings: FoldFindings;
  pointsRead = 0;
  #lacksContext = false;

  constructor(store: PartitionStore, found: Found) {
    this.#found = found;
    this.#findings = new FoldFindings(found.plan, found.position.watermarkMs);
    this.#single = new SeriesFolder(store, found, this.#findings);
    this.#pairs = new PairFolder(store, found);
  }

  /** What the answer says of the series apart from their values. */
  get findings(): Pick<AggregateReply, 'knownThroughMs' | 'intervalMs' | 'usualIntervalMs' | 'restarts' | 'dips'> {
    const { restarts, dips } = this.#single.counters;
    return { ...this.#findings.reply, restarts, dips };
  }

  /** The groups in their order; undefined when a series has fewer timestamps than its fold depends on. */
  *fold(): SlicedWork<GroupPartial[] | undefined, number> {
    const { groups, selection, spaceFold, steps } = this.#found.plan;
    const packed: GroupPartial[] = [];
    if (spaceFold !== SPACE_FOLD.sketch && groups.length * steps <= VALUES_AT_ONCE) {
      const partials = groups.map(() => new SpacePartial(spaceFold, steps));
      const members = new GroupMembers(groups, selection.size, (series) => selection.ordinal(series));
      yield* this.#foldAll(selection.series, (i) => {
        return [...members.groups.subarray(members.starts[i], members.starts[i + 1])].map((group) => partials[group]);
      });
      if (this.#lacksContext) return undefined;
      for (const partial of partials) {
        packed.push(packedGroup(partial));
        yield SERIES_COST + steps;
      }
      return packed;
    }
    for (const group of groups) {
      const partial = [new SpacePartial(spaceFold, steps)];
      yield* this.#foldAll(group, () => partial);
      if (this.#lacksContext) return undefined;
      packed.push(packedGroup(partial[0]));
      yield SERIES_COST + steps;
    }
    return packed;
  }

  /** Folds ascending series, the i-th of which belongs to `partialsOf(i)`. */
  *#foldAll(series: Uint32Array, partialsOf: (index: number) => readonly SpacePartial[]): SlicedWork<void, number> {
    const { steps } = this.#found.plan;
    for (let i = 0; i < series.length; ) {
      const taken = this.#foldShared(series, i, partialsOf);
      if (this.#lacksContext) return;
      if (taken === 0) {
        for (const partial of partialsOf(i)) yield* this.#foldAlone(series[i], partial);
        if (this.#lacksContext) return;
      }
      i += Math.max(1, taken);
      yield taken === 0 ? 0 : taken * (SERIES_COST / 4 + steps * STEP_COST) + this.#sharedPoints * SHARED_COST;
    }
  }

  *#foldAlone(series: number, partial: SpacePartial): SlicedWork<void, number> {
    const single = this.#single;
    const own = yield* single.fold(series);
    if (single.lacksContext) {
      this.#lacksContext = true;
      return;
    }
    if (own !== undefined) yield* partial.addSeriesInPieces(own);
    this.pointsRead += single.points;
    yield SERIES_COST + single.points + this.#found.plan.steps;
  }

  /** Points that the last shared fold read. */
  #sharedPoints = 0;

  /** Folds the series at `index`, with the next one if it has the same times. Returns how many it has folded: 0, 1, or 2. */
  #foldShared(series: Uint32Array, index: number, partialsOf: (index: number) => readonly SpacePartial[]): number {
    const pairs = this.#pairs;
    const a = series[index];
    const candidate = pairs.candidateOf(a);
    if (candidate === undefined) return 0;
    const isPair = index + 1 < series.length && pairs.candidateOf(series[index + 1]) === candidate;
    // What only one series has is not worth a program.
    if (!isPair && !candidate.isMade) return 0;
    const shared = pairs.sharedOf(candidate, a);
    if (shared === undefined) return 0;
    const b = isPair ? series[index + 1] : a;
    if (!pairs.fold(shared, a, b)) return 0;
    this.#sharedPoints = 0;
    this.#add(shared, a, pairs.results[0], partialsOf(index));
    if (isPair) this.#add(shared, b, pairs.results[1], partialsOf(index + 1));
    return isPair ? 2 : 1;
  }

  #add(shared: SharedFold, series: number, folded: FoldedSeries, partials: readonly SpacePartial[]): void {
    const { pages } = this.#found;
    if ((shared.lacksOlder && pages.hasOlder(series)) || (shared.lacksNewer && pages.hasNewer(series))) {
      this.#lacksContext = true;
      return;
    }
    for (const partial of partials) partial.addSeries(folded);
    const { length } = partials;
    this.pointsRead += shared.length * length;
    this.#sharedPoints += shared.length;
    if (shared.newest !== undefined) this.#findings.add(shared.newest, length);
  }
}

function packedGroup(partial: SpacePartial): GroupPartial {
  const { sketches, sumScaled, ...columns } = packPartial(partial);
  const { count, sum, sumRest, min, max, last, lastTime } = columns;
  const [a, b, c, d, e, f, g] = [count, sum, sumRest, min, max, last, lastTime].map((bytes) => Buffer.from(bytes));
  const own = sketches.map((bytes) => Buffer.from(bytes));
  return { count: a, sum: b, sumRest: c, sumScaled, min: d, max: e, last: f, lastTime: g, sketches: own };
}
