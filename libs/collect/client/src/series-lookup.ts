import { classOfKind, DEFAULT_POINT_LIMITS, KIND, type KindName, seriesName } from '@tidemark/model';
import { checkSeries, MAX_GIVEN_TAGS } from './check-arguments.ts';
import { GatheredSeries, type SeriesRecorder } from './gathered-series.ts';
import type { SeriesNumbers } from './series-numbers.ts';

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
  /** Handles by the caller's own spelling, and by the canonical one. */
  readonly #handles = new Map<string, GatheredSeries>();

  constructor(recorder: SeriesRecorder, numbers: SeriesNumbers, maxSeries: number) {
    this.#recorder = recorder;
    this.#numbers = numbers;
    this.#maxSeries = maxSeries;
  }

  /**
   * Returns the handle, and makes it at the first use. Errors: `invalid_argument` (a part is of a wrong type or breaks a
   * limit), `resource_exhausted` (`maxSeries`), and those that code of the arguments throws, such as a getter.
   */
  handle(metric: string, kind: KindName, tags: readonly string[]): GatheredSeries {
    const key = keyOf(kind, metric, tags);
    const known = key === undefined ? undefined : this.#handles.get(key);
    return known ?? this.#find(metric, kind, tags);
  }

  /** All series, some of them repeatedly. */
  get all(): Iterable<GatheredSeries> {
    return this.#handles.values();
  }

  /** Forgets the series that have expired. A program that kept their handles can still use them. */
  forgetExpired(): void {
    for (const [key, series] of this.#handles) if (this.#numbers.hasExpired(series)) this.#handles.delete(key);
  }

  #find(metric: string, named: KindName, tags: readonly string[]): GatheredSeries {
    const given = checkSeries(metric, named, tags);
    const kind = KIND[given.kind];
    const name = seriesName(ANY_TENANT, given.metric, classOfKind(kind), given.tags);
    const canonical = keyOf(given.kind, given.metric, name.tags);
    let handle = canonical === undefined ? undefined : this.#handles.get(canonical);
    if (handle === undefined) {
      handle = new GatheredSeries(this.#recorder, given.metric, kind, name.tags);
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
