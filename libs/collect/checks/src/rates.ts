/**
 * Per-second rates from cumulative counters. A first sight gives none, and neither does a counter that went back (it
 * was reset, or wrapped): a gap is better than a made-up spike.
 */
export class Rates {
  #previous = new Map<string, number>();
  #current = new Map<string, number>();
  #previousMs: number | undefined;
  #nowMs = 0;

  /** Begins a sample at `nowMs` of a monotonic clock; names not asked for in it are forgotten. */
  begin(nowMs: number): void {
    this.#previous = this.#current;
    this.#previousMs = this.#previous.size === 0 ? undefined : this.#nowMs;
    this.#current = new Map();
    this.#nowMs = nowMs;
  }

  /** Milliseconds since the sample before; undefined in the first. */
  get elapsedMs(): number | undefined {
    return this.#previousMs === undefined ? undefined : this.#nowMs - this.#previousMs;
  }

  /** How much a counter grew since the sample before. */
  delta(name: string, value: number): number | undefined {
    this.#current.set(name, value);
    const before = this.#previous.get(name);
    if (before === undefined || value < before || !Number.isFinite(value)) return undefined;
    return value - before;
  }

  /** The same, per second. */
  perSecond(name: string, value: number): number | undefined {
    const delta = this.delta(name, value);
    const elapsedMs = this.elapsedMs;
    return delta === undefined || elapsedMs === undefined || elapsedMs <= 0 ? undefined : (delta * 1000) / elapsedMs;
  }
}
