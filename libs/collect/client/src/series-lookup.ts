import { classOfKind, DEFAULT_POINT_LIMITS, KIND, type KindName, seriesName } from '@tidemark/model';
import { checkInterval, checkSeries, MAX_GIVEN_TAGS } from './check-arguments.ts';
import { GatheredSeries, type SeriesRecorder } from './gathered-series.ts';
import type { ClientWarning } from './options.ts';
import { MAX_CHANGES, type SeriesNumbers } from './series-numbers.ts';
import type { TableSeries } from './series-table.ts';

/** The platform knows the tenant; names are checked as if it were short. */
const ANY_TENANT = 'x';

const MAX_LENGTH = Math.max(DEFAULT_POINT_LIMITS.metricBytes, DEFAULT_POINT_LIMITS.tagBytes);
/** One character for each length up to the limit. */
const LENGTHS = Array.from({ length: MAX_LENGTH + 1 }, (_, length) => String.fromCharCode(length));

/** Finds the handle of a series by its name. client.test.ts and hostile-arguments.test.ts cover it. */
export class SeriesLookup {
  readonly #recorder: SeriesRecorder;
  readonly #numbers: SeriesNumbers;
  readonly #maxSeries: number;
  readonly #warn: (warning: ClientWarning) => void;
  /** Handles by the caller's own spelling, and by the canonical one. */
  readonly #handles = new Map<string, GatheredSeries>();

  constructor(
    recorder: SeriesRecorder,
    numbers: SeriesNumbers,
    maxSeries: number,
    warn: (warning: ClientWarning) => void,
  ) {
    this.#recorder = recorder;
    this.#numbers = numbers;
    this.#maxSeries = maxSeries;
    this.#warn = warn;
    numbers.onReturn = (series) => this.#returned(series);
  }

  /**
   * Returns the handle, and makes it at the first use. An interval that it states (ms) is the series' from then on;
   * undefined leaves it as it is. Errors: `invalid_argument` (a part is of a wrong type or breaks a
   * limit), `resource_exhausted` (`maxSeries`), and those that code of the arguments throws, such as a getter.
   */
  handle(metric: string, kind: KindName, tags: readonly string[], statedMs?: number): GatheredSeries {
    const intervalMs = checkInterval(statedMs);
    const key = keyOf(kind, metric, tags);
    const known = key === undefined ? undefined : this.#handles.get(key);
    const handle = known ?? this.#find(metric, kind, tags, intervalMs);
    if (intervalMs !== undefined && intervalMs !== handle.intervalMs) this.#restate(handle, intervalMs);
    return handle;
  }

  /** All series, some of them repeatedly. */
  get all(): Iterable<GatheredSeries> {
    return this.#handles.values();
  }

  /** Forgets the series that have expired. A program that kept their handles can still use them. */
  forgetExpired(): void {
    for (const [key, series] of this.#handles) if (this.#numbers.hasExpired(series)) this.#handles.delete(key);
  }

  /**
   * Knows a series again that was forgotten, and whose handle a program kept. If it was looked up meanwhile, the other
   * handle's interval is the later one.
   */
  #returned(series: GatheredSeries): void {
    const key = keyOf(series.kind, series.metric, series.tags);
    if (key === undefined) return;
    const known = this.#handles.get(key);
    if (known === undefined) this.#handles.set(key, series);
    else series.entry = known.entry;
  }

  /** Past the limits, points are taken with the interval of before. */
  #restate(handle: GatheredSeries, intervalMs: number): void {
    if (this.#numbers.restate(handle, intervalMs)) return;
    const limit = `${MAX_CHANGES} changes of a series, and ${this.#maxSeries} of all (maxSeries)`;
    const message = `intervalMs: ${intervalMs} of ${handle.metric}, now ${handle.intervalMs} (limit: ${limit}); not changed`;
    this.#warn({ reason: 'interval_changes', field: 'intervalMs', limit, message });
  }

  #find(metric: string, named: KindName, tags: readonly string[], intervalMs: number | undefined): GatheredSeries {
    const given = checkSeries(metric, named, tags);
    const kind = KIND[given.kind];
    const name = seriesName(ANY_TENANT, given.metric, classOfKind(kind), given.tags);
    const canonical = keyOf(given.kind, given.metric, name.tags);
    let handle = canonical === undefined ? undefined : this.#handles.get(canonical);
    if (handle === undefined) {
      const entry: TableSeries = { metric: given.metric, kind, tags: name.tags };
      if (intervalMs !== undefined) entry.intervalMs = intervalMs;
      handle = new GatheredSeries(this.#recorder, entry);
      this.#numbers.of(handle);
      if (canonical !== undefined) this.#handles.set(canonical, handle);
    }
    // Other spellings are a cache of `maxSeries` entries: beyond, a spelling is canonicalized each time.
    const spelling = keyOf(given.kind, given.metric, given.tags);
    if (spelling !== undefined && this.#handles.size < this.#maxSeries * 2) this.#handles.set(spelling, handle);
    return handle;
  }
}

/**
 * A key that no other series has: each text follows its length. Undefined when a part is not a string, or longer than any
 * series may have. It reads each element of `tags` once.
 */
function keyOf(kind: KindName, metric: string, tags: readonly string[]): string | undefined {
  if (typeof metric !== 'string' || metric.length > MAX_LENGTH || !Array.isArray(tags)) return undefined;
  const { length } = tags;
  if (length > MAX_GIVEN_TAGS) return undefined;
  let key = `${KIND[kind]}${LENGTHS[metric.length]}${metric}`;
  for (let i = 0; i < length; i++) {
    const tag: unknown = tags[i];
    if (typeof tag !== 'string' || tag.length > MAX_LENGTH) return undefined;
    key += LENGTHS[tag.length] + tag;
  }
  return key;
}
