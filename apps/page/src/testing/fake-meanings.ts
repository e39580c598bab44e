type Fields = Readonly<Record<string, unknown>>;

const DEFAULT: Fields = { type: 'gauge', unit: 'byte', description: null, statsd_interval: 10 };
const SOURCES: Readonly<Record<string, string>> = { type: 'name', unit: 'protocol', statsd_interval: 'protocol' };
const MAX_INTERVAL_S = 31 * 86_400;

/** What users state of metrics, in the shape of `/api/v1/metrics/{name}`. */
export class FakeMeanings {
  readonly #stated = new Map<string, Fields>();

  of(metric: string): unknown {
    const stated = this.#stated.get(metric) ?? {};
    const sources = Object.fromEntries(Object.keys(stated).map((field) => [field, 'user']));
    return { ...DEFAULT, ...stated, sources: { ...SOURCES, ...sources } };
  }

  state(metric: string, body: Fields): readonly [number, unknown] {
    const interval = body.statsd_interval ?? 0;
    if (typeof interval !== 'number' || interval > MAX_INTERVAL_S) {
      const message = `statsd_interval: ${interval} (limit: 0 to ${MAX_INTERVAL_S} seconds)`;
      return [400, { errors: [message], code: 'invalid_argument', detail: { field: 'statsd_interval' } }];
    }
    const kept = Object.entries({ ...this.#stated.get(metric), ...body });
    this.#stated.set(metric, Object.fromEntries(kept.filter(([, value]) => value !== '' && value !== 0)));
    return [200, body];
  }
}
