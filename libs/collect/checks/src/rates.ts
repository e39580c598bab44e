/**
 * Per-second rates from cumulative counters. The first value of a counter gives no rate, and neither does a value below
 * the previous one (a reset or an overflow): a gap is better than a false spike.
 */
export class Rates {
  #previous = new Map<string, number>();
  #current = new Map<string, number>();
  #previousMs: number | undefined;
  #nowMs = 0;

  /** Begins a sample at `nowMs` of a monotonic clock. A counter that is absent from a sample is forgotten. */
  begin(nowMs: number): void {
    this.#previous = this.#current;
    this.#previousMs = this.#previous.size === 0 ? undefined : this.#nowMs;
    this.#current = new Map();
    this.#nowMs = nowMs;
  }

  /** Milliseconds since the previous sample; undefined in the first. */
  get elapsedMs(): number | undefined {
    return this.#previousMs === undefined ? undefined : this.#nowMs - this.#previousMs;
  }

  /** Returns how much a counter grew since the previous sample; undefined where it has no rate. */
  delta(name: string, value: number): number | undefined {
    this.#current.set(name, value);
    const before = this.#previous.get(name);
    if (before === undefined || value < before || !Number.isFinite(value)) return undefined;
    return value - before;
  }

  /** Returns the growth per second; undefined where it has no rate. */
  perSecond(name: string, value: number): number | undefined {
    const delta = this.delta(name, value);
    const elapsedMs = this.elapsedMs;
    return delta === undefined || elapsedMs === undefined || elapsedMs <= 0 ? undefined : (delta * 1000) / elapsedMs;
  }
}
