import { toHex } from '@tidemark/bytes';
import { classOfKind, KIND, type Kind, type KindName, metricId, seriesId, seriesName } from '@tidemark/model';

export const TENANT = 'default';

/** The metrics that the clients record, with what each measures, and the interval that they state of it, ms. */
export const METRICS: readonly { readonly metric: string; readonly kind: KindName; readonly intervalMs?: number }[] = [
  { metric: 'requests', kind: 'count' },
  { metric: 'errors', kind: 'count' },
  { metric: 'load', kind: 'gauge' },
  { metric: 'memory', kind: 'gauge', intervalMs: 4_000 },
  { metric: 'bytes.total', kind: 'counter' },
  // Its senders do not say whether it is a counter: only its name does.
  { metric: 'writes_total', kind: 'reading' },
  { metric: 'latency', kind: 'distribution' },
  { metric: 'ratio', kind: 'gauge' },
  { metric: 'depth', kind: 'gauge' },
];

/** A metric of many series, so that definitions of a dictionary do not fit into one record. */
export const WIDE_METRIC = 'depth';
export const WIDE_SERIES = 60;

/** Its values are not integers, so their sums depend on the order of the additions. */
export const UNEVEN_METRIC = 'ratio';

export interface KnownSeries {
  readonly id: string;
  readonly idBytes: Buffer;
  readonly metric: string;
  readonly metricId: Buffer;
  readonly kind: Kind;
  readonly tags: readonly string[];
}

/** Names of series by their ids in the log. */
export class SeriesNames {
  readonly #byId = new Map<string, KnownSeries>();

  add(metric: string, kind: Kind, tags: readonly string[]): KnownSeries {
    const name = seriesName(TENANT, metric, classOfKind(kind), tags);
    const idBytes = seriesId(name);
    const id = toHex(idBytes);
    const known = this.#byId.get(id);
    if (known !== undefined) return known;
    const series = { id, idBytes, metric, metricId: metricId(TENANT, metric), kind, tags: name.tags };
    this.#byId.set(id, series);
    return series;
  }

  get(id: string): KnownSeries | undefined {
    return this.#byId.get(id);
  }

  get all(): KnownSeries[] {
    return [...this.#byId.values()];
  }
}

export function kindOf(name: KindName): Kind {
  return KIND[name];
}
