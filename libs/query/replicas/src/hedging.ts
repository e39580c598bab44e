import type { ReplicaLimits } from './replica-limits.ts';

/** Latencies that an estimate is made of. */
const SAMPLES = 128;
/** With fewer than these there is no estimate. */
const LEAST_SAMPLES = 16;
/** Samples between two estimates: sorting them costs more than a request should. */
const REFRESH = 8;

/** When to stop waiting for one replica alone: beyond the 95th percentile of what the same method took of late. */
export class LatencyEstimate {
  readonly #samples = new Float64Array(SAMPLES);
  #count = 0;
  #p95Ms: number | undefined;

  /** What a request took; of one that was given up, as much as it had taken by then. */
  add(elapsedMs: number): void {
    this.#samples[this.#count++ % SAMPLES] = elapsedMs;
    if (this.#count < LEAST_SAMPLES || this.#count % REFRESH !== 0) return;
    const recent = this.#samples.slice(0, Math.min(this.#count, SAMPLES)).sort();
    this.#p95Ms = recent[Math.floor(recent.length * 0.95)];
  }

  hedgeAfterMs({ hedgeFloorMs, hedgeCeilingMs }: ReplicaLimits): number {
    return Math.min(hedgeCeilingMs, Math.max(hedgeFloorMs, this.#p95Ms ?? hedgeCeilingMs));
  }
}

/**
 * How many hedges there may be: a share of the requests, with some saved up. So a cluster that is slow because it is
 * overloaded gets a few percent more to do, never double.
 */
export class HedgeBudget {
  readonly #limits: Pick<ReplicaLimits, 'hedgeShare' | 'hedgeBurst'>;
  #saved: number;

  constructor(limits: Pick<ReplicaLimits, 'hedgeShare' | 'hedgeBurst'>) {
    this.#limits = limits;
    this.#saved = limits.hedgeBurst;
  }

  /** A request was made: it earns its share of a hedge. */
  earn(): void {
    this.#saved = Math.min(this.#limits.hedgeBurst, this.#saved + this.#limits.hedgeShare);
  }

  take(): boolean {
    if (this.#saved < 1) return false;
    this.#saved--;
    return true;
  }
}
