import { type FoldedSeries, LARGE, SPACE_FOLD, type SpacePartial } from '@tidemark/fold';
import type { PageCodec } from '../pages/page-codec.ts';

/** Values of all groups whose sums are kept in the memory of the thread's decoder: 24 bytes each, copied in each slice. */
const VALUES = 65_536;

/** The values of groups: where they are sums, in the decoder's memory as long as their fold has it. */
export class GroupSums {
  readonly #codec: PageCodec;
  readonly #partials: readonly SpacePartial[];
  readonly #steps: number;
  /** Whether they are sums that may be in the memory: few, and of values that don't overflow. */
  #mayEnter: boolean;
  /** Where they begin, and behind them room for one value a step; 0 while they are not in the memory. */
  #at = 0;
  /** Series of each group that were added and not counted yet: all with the same steps. */
  readonly #uncounted: Uint32Array;
  readonly #waiting: number[] = [];
  #steady: Pick<FoldedSeries, 'present' | 'first' | 'end'> | undefined;

  constructor(codec: PageCodec, partials: readonly SpacePartial[], steps: number) {
    const [{ fold }] = partials;
    this.#codec = codec;
    this.#partials = partials;
    this.#steps = steps;
    this.#mayEnter = (fold === SPACE_FOLD.sum || fold === SPACE_FOLD.avg) && partials.length * steps <= VALUES;
    this.#uncounted = new Uint32Array(partials.length);
  }

  /** Puts the sums at address `at` of the memory, a multiple of 16; returns the first address behind them. */
  enter(at: number): number {
    if (!this.#mayEnter) return at;
    const { kernel } = this.#codec.decoder;
    const stepsBytes = 8 * this.#steps;
    const end = at + (3 * this.#partials.length + 1) * stepsBytes;
    kernel.reserve(end);
    this.#at = at;
    this.#partials.forEach(({ sums }, group) => {
      const to = this.#sumAt(group) / 8;
      kernel.floats.set(sums.sum, to);
      kernel.floats.set(sums.rest, to + this.#steps);
      kernel.floats.set(sums.residue, to + 2 * this.#steps);
    });
    return (end + 15) & -16;
  }

  /** Takes the sums out of the memory. */
  leave(): void {
    if (this.#at === 0) return;
    const { floats } = this.#codec.decoder;
    const steps = this.#steps;
    this.#partials.forEach(({ sums }, group) => {
      const from = this.#sumAt(group) / 8;
      sums.sum.set(floats.subarray(from, from + steps));
      sums.rest.set(floats.subarray(from + steps, from + 2 * steps));
      sums.residue.set(floats.subarray(from + 2 * steps, from + 3 * steps));
    });
    this.#at = 0;
  }

  /** Takes the sums out of the memory, and counts all series. */
  finish(): void {
    this.leave();
    this.#count();
  }

  /** Adds a series whose values are of ordinary size, and lie at address `values` of the memory, one a step. */
  addShared(group: number, folded: FoldedSeries, values: number): void {
    if (this.#at === 0) {
      this.#partials[group].addSeries(folded);
      return;
    }
    if (folded.present !== this.#steady?.present) {
      this.#count();
      const { present, first, end } = folded;
      this.#steady = { present, first, end };
    }
    if (this.#uncounted[group]++ === 0) this.#waiting.push(group);
    this.#addSteps(group, folded, values);
  }

  /** Does what `addShared` does, for a series that may have other steps than the one before. */
  addOwn(group: number, folded: FoldedSeries, values: number): void {
    if (this.#at === 0) {
      this.#partials[group].addSeries(folded);
      return;
    }
    this.#partials[group].countSeries(folded);
    this.#addSteps(group, folded, values);
  }

  /** Adds a series that was folded alone. */
  addAlone(group: number, folded: FoldedSeries): void {
    const { values, present, first, end } = folded;
    const partial = this.#partials[group];
    let isOrdinary = true;
    for (let i = first; i < end; i++) if (present[i] === 1 && !(Math.abs(values[i]) <= LARGE)) isOrdinary = false;
    if (!isOrdinary) {
      this.leave();
      this.#mayEnter = false;
    }
    if (this.#at === 0) {
      partial.addSeries(folded);
      return;
    }
    const scratch = this.#sumAt(this.#partials.length);
    this.#codec.decoder.floats.set(values.subarray(first, end), scratch / 8 + first);
    partial.countSeries(folded);
    this.#addSteps(group, folded, scratch);
  }

  #addSteps(group: number, { present, first, end }: FoldedSeries, values: number): void {
    const { folds } = this.#codec;
    const sums = this.#sumAt(group);
    for (let from = first; from < end; ) {
      let to = from;
      while (to < end && present[to] === 1) to++;
      if (to > from) folds.addSteps(values + 8 * from, to - from, sums + 8 * from, 8 * this.#steps);
      from = to + 1;
    }
  }

  #count(): void {
    for (const group of this.#waiting) {
      if (this.#steady !== undefined) this.#partials[group].countSeries(this.#steady, this.#uncounted[group]);
      this.#uncounted[group] = 0;
    }
    this.#waiting.length = 0;
  }

  #sumAt(group: number): number {
    return this.#at + 3 * 8 * this.#steps * group;
  }
}
