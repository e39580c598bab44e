import { SeriesValues } from '../data/series-values.ts';

/**
 * The values of all series in rounds 0 to `rounds`, whose metrics have these numbers. One array has all of them: hundreds of
 * arrays would load the garbage collector of the generator.
 */
export class RoundValues {
  readonly #series: number;
  readonly #all: Float64Array;

  constructor(metrics: Uint32Array, rounds: number, seed: number) {
    this.#series = metrics.length;
    this.#all = new Float64Array((rounds + 1) * metrics.length);
    const values = new SeriesValues(metrics, seed);
    for (let at = 0; at < this.#all.length; ) for (let i = 0; i < metrics.length; i++) this.#all[at++] = values.next(i);
  }

  /** The values of `count` series from number `first` on. */
  at(round: number, first: number, count: number): Float64Array {
    const from = round * this.#series + first;
    return this.#all.subarray(from, from + count);
  }
}
