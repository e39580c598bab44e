import { METRICS, mix } from './series.ts';

const CONSTANTS = [0, 1, 1, 4, 8, 1024];

/** Values of each series, one after another; deterministic by seed. */
export class SeriesValues {
  readonly #state: Float64Array;
  readonly #base: Float64Array;
  readonly #step: Float64Array;
  #random: number;

  constructor(series: number, seed: number) {
    this.#random = mix(seed);
    this.#state = new Float64Array(series);
    this.#base = new Float64Array(series);
    this.#step = new Float64Array(series);
    for (let i = 0; i < series; i++) {
      const shape = (i % METRICS) % 5;
      if (shape < 2) {
        this.#step[i] = Math.floor(Math.exp(this.#draw() * 8));
        this.#state[i] = Math.floor(this.#draw() * 1e6);
      } else if (shape < 4) {
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
    const shape = (i % METRICS) % 5;
    if (shape < 2) {
      if (this.#draw() > 0.125) this.#state[i] += Math.floor(this.#draw() * (2 * this.#step[i] + 1));
    } else if (shape < 4) {
      const noise = this.#draw() + this.#draw() - 1;
      this.#state[i] += 0.1 * (this.#base[i] - this.#state[i]) + noise * this.#step[i];
      const scale = i % 2 === 0 ? 10 : 100;
      return Math.round(this.#state[i] * scale) / scale;
    }
    return this.#state[i];
  }

  #draw(): number {
    this.#random = mix(this.#random);
    return this.#random / 4294967296;
  }
}
