import { mix, shapeOf } from './hosts.ts';

const CONSTANTS = [0, 1, 1, 4, 8, 1024];

/** Values of each series, one after another: random increments, gauges of one or two decimals, constants. */
export class SeriesValues {
  readonly #metrics: Uint32Array;
  readonly #state: Float64Array;
  readonly #base: Float64Array;
  readonly #step: Float64Array;
  #random: number;

  /** Of series whose metrics have these numbers; deterministic by seed. */
  constructor(metrics: Uint32Array, seed: number) {
    const { length } = metrics;
    this.#metrics = metrics;
    this.#random = mix(seed);
    this.#state = new Float64Array(length);
    this.#base = new Float64Array(length);
    this.#step = new Float64Array(length);
    for (let i = 0; i < length; i++) {
      const shape = shapeOf(metrics[i]);
      if (shape === 'counter') {
        this.#step[i] = Math.floor(Math.exp(this.#draw() * 8));
        this.#state[i] = Math.floor(this.#draw() * 1e6);
      } else if (shape === 'gauge') {
        this.#base[i] = this.#draw() * 100;
        this.#state[i] = this.#base[i];
        this.#step[i] = 0.2 + this.#draw() * 3;
      } else {
        this.#state[i] = CONSTANTS[Math.floor(this.#draw() * CONSTANTS.length)];
      }
    }
  }

  /** The next value of series `i`: counters go up by integers, gauges wander around a base, the rest stays. */
  next(i: number): number {
    const metric = this.#metrics[i];
    const shape = shapeOf(metric);
    if (shape === 'counter') {
      if (this.#draw() > 0.125) this.#state[i] += Math.floor(this.#draw() * (2 * this.#step[i] + 1));
    } else if (shape === 'gauge') {
      const noise = this.#draw() + this.#draw() - 1;
      this.#state[i] += 0.1 * (this.#base[i] - this.#state[i]) + noise * this.#step[i];
      const scale = metric % 2 === 0 ? 10 : 100;
      return Math.round(this.#state[i] * scale) / scale;
    }
    return this.#state[i];
  }

  #draw(): number {
    this.#random = mix(this.#random);
    return this.#random / 4294967296;
  }
}
