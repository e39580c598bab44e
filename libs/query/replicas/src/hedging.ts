import type { ReplicaLimits } from './replica-limits.ts';

/** Latencies that an estimate uses. */
const SAMPLES = 128;
/** Minimum number of samples for an estimate. */
const MIN_SAMPLES = 16;
/** Samples between two estimates: sorting them costs more than a request should. */
const REFRESH = 8;

/** When to hedge a request: after the 95th percentile of the recent latencies of the same method. */
export class LatencyEstimate {
  readonly #samples = new Float64Array(SAMPLES);
  #count = 0;
  #p95Ms: number | undefined;

  /** Adds the latency of a request; of an abandoned request, the time until it was abandoned. */
  add(elapsedMs: number): void {
    this.#samples[this.#count++ % SAMPLES] = elapsedMs;
    if (this.#count < MIN_SAMPLES || this.#count % REFRESH !== 0) return;
    const recent = this.#samples.slice(0, Math.min(this.#count, SAMPLES)).sort();
    this.#p95Ms = recent[Math.floor(recent.length * 0.95)];
  }

  hedgeAfterMs({ hedgeFloorMs, hedgeCeilingMs }: ReplicaLimits): number {
    return Math.min(hedgeCeilingMs, Math.max(hedgeFloorMs, this.#p95Ms ?? hedgeCeilingMs));
  }
}

/**
 * Bounds the hedges to a share of the requests, with some saved up. So a cluster that is slow because it is overloaded
 * gets a few percent more requests, never twice as many.
 */
export class HedgeBudget {
  readonly #limits: Pick<ReplicaLimits, 'hedgeShare' | 'hedgeBurst'>;
  #saved: number;

  constructor(limits: Pick<ReplicaLimits, 'hedgeShare' | 'hedgeBurst'>) {
    this.#limits = limits;
    this.#saved = limits.hedgeBurst;
  }

  /** Adds the share of a hedge that a request earns. */
  earn(): void {
    this.#saved = Math.min(this.#limits.hedgeBurst, this.#saved + this.#limits.hedgeShare);
  }

  take(): boolean {
    if (this.#saved < 1) return false;
    this.#saved--;
    return true;
  }
}
