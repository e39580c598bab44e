import { KIND } from '@tidemark/model';
import { TidemarkError } from '@tidemark/ports';
import { describe } from './check-arguments.ts';
import { ColumnPlan } from './column-plan.ts';
import { GatheredSeries, type SeriesHandle, type SeriesRecorder } from './gathered-series.ts';
import { MAX_BATCH_POINTS } from './gatherer.ts';
import { POINT_BYTES } from './raw-batch.ts';
import type { SeriesNumbers } from './series-numbers.ts';

interface KnownPlans {
  readonly size: number;
  readonly plans: readonly ColumnPlan[];
  /** `SeriesNumbers.version` of the plans' numbers. */
  readonly version: number;
}

/** The plans of each list of handles that a client has recorded columns of. client.test.ts covers it. */
export class ColumnPlans {
  readonly #recorder: SeriesRecorder;
  readonly #planPoints: number;
  readonly #numbers: SeriesNumbers;
  readonly #known = new WeakMap<readonly SeriesHandle[], KnownPlans>();

  constructor(recorder: SeriesRecorder, numbers: SeriesNumbers, maxBatchBytes: number) {
    this.#recorder = recorder;
    this.#numbers = numbers;
    this.#planPoints = Math.max(1, Math.min(MAX_BATCH_POINTS, Math.floor(maxBatchBytes / POINT_BYTES)));
  }

  /**
   * Returns the plans of a list of handles, each for one batch at most. Errors: `invalid_argument` (unequal lengths, a
   * distribution, another client's handle, an argument of a wrong type), `resource_exhausted` (`maxSeries`).
   */
  of(handles: readonly SeriesHandle[], values: Float64Array): readonly ColumnPlan[] {
    if (!Array.isArray(handles)) throw refused('handles', 'an array of handles', describe(handles));
    if (!(values instanceof Float64Array)) throw refused('values', 'a Float64Array', describe(values));
    const size = handles.length;
    if (size !== values.length) {
      throw new TidemarkError('invalid_argument', `${values.length} values for ${size} series`, {
        field: 'values',
        limit: `${size} values`,
      });
    }
    const known = this.#known.get(handles);
    if (known?.size === size && known.version === this.#numbers.version) return known.plans;
    const series = Array.from({ length: size }, (_, i) => this.#seriesOf(handles[i]));
    const numbers = Uint32Array.from(series, (one) => this.#numbers.of(one));
    const plans: ColumnPlan[] = [];
    for (let at = 0; at < size; at += this.#planPoints) {
      const plan = new ColumnPlan(numbers.slice(at, at + this.#planPoints));
      for (const one of series.slice(at, at + this.#planPoints)) one.plan = plan;
      plans.push(plan);
    }
    this.#known.set(handles, { size, plans, version: this.#numbers.version });
    return plans;
  }

  #seriesOf(handle: SeriesHandle): GatheredSeries {
    const limit = "this client's gauges, counts and counters";
    if (!(handle instanceof GatheredSeries)) throw refused('handles', limit, describe(handle));
    if (handle.isOf(this.#recorder) && handle.kindNumber !== KIND.distribution) return handle;
    throw new TidemarkError('invalid_argument', `${handle.metric}: columns take ${limit}`, { field: 'handles', limit });
  }
}

function refused(field: string, limit: string, found: string): TidemarkError {
  return new TidemarkError('invalid_argument', `${field}: ${found} (limit: ${limit})`, { field, limit });
}
