import type { Check, CheckSink, LeftOut } from '@tidemark/checks';
import { classOfKind, hash128, KIND, labelTag, SERIES_CLASS, seriesName, tagsKey } from '@tidemark/model';
import { type Clock, TidemarkError } from '@tidemark/ports';
import { boundedGet, type GetResult } from './bounded-get.ts';
import { ACCEPT, formatOf } from './exposition-format.ts';
import { DEFAULT_EXPOSITION_LIMITS, ExpositionParser, type ExpositionReport } from './exposition-parser.ts';
import { LivingSeries } from './living-series.ts';
import { DEFAULT_SCRAPE_TARGET, type ScrapeTarget, tagsOf, urlOf } from './scrape-target.ts';
import type { TypedSeries } from './series-text.ts';

export interface ScrapePorts {
  readonly clock: Clock;
  readonly readText: (path: string) => Promise<string>;
  /** Called with the first line of a target that is left out for each reason. Must not throw. */
  readonly onProblem?: (message: string, detail: Readonly<Record<string, string>>) => void;
}

/** A series of a target as the sink accepts it. */
interface ScrapedSeries {
  /** Two spellings or types of one stored series have the same key. */
  readonly key: string;
  readonly metric: string;
  readonly kind: TypedSeries['kind'];
  readonly tags: readonly string[];
}

const OWN = 'tidemark.agent.scrape';
/** The reason of NaN, which a summary without observations has in each scrape by design: nothing to report. */
const NO_OBSERVATIONS = 'value_nan';
/** Only the platform knows the tenant; names are checked with a short one. */
const ANY_TENANT = 'x';

/**
 * Makes a check for each target. Throws `invalid_argument` for an invalid target, and for two targets whose series
 * would be the same.
 */
export function scrapeChecks(targets: readonly ScrapeTarget[], ports: ScrapePorts): Check[] {
  const seen = new Set<string>();
  return targets.map((target) => {
    const tags = [...tagsOf(target)].sort().join(',');
    if (seen.has(tags)) {
      const message = `two scrape targets have the tags ${tags}: their series would be mixed; set instance on one of them`;
      throw new TidemarkError('invalid_argument', message, { field: 'instance' });
    }
    seen.add(tags);
    return new ScrapeCheck(target, ports);
  });
}

/** Scrapes one target. When a scrape fails, `up` is 0 and the run throws the reason. */
export class ScrapeCheck implements Check {
  readonly name: string;
  readonly everyMs: number;
  readonly phaseMs: number;
  readonly #target: ScrapeTarget;
  readonly #url: URL;
  readonly #ports: ScrapePorts;
  readonly #limits: { -readonly [K in keyof typeof DEFAULT_SCRAPE_TARGET]: number };
  readonly #honorTimestamps: boolean;
  readonly #tags: readonly string[];
  /** Keys of the target's own tags: a label with the same name is renamed `exported_…`. */
  readonly #ownKeys: ReadonlySet<string>;
  readonly #parser: ExpositionParser<ScrapedSeries>;
  /** The series that the last scrape had, which end with the one that does not have them. */
  readonly #living = new LivingSeries<ScrapedSeries>();
  /** Reasons that were reported. */
  readonly #reported = new Set<string>();
  /** What was left out since the start, by reason, with the first example. */
  readonly #leftOut = new Map<string, LeftOut>();
  #detail: Record<string, string | number> = {};

  constructor(target: ScrapeTarget, ports: ScrapePorts) {
    this.#target = target;
    this.#ports = ports;
    this.#url = urlOf(target);
    this.#limits = {
      intervalMs: target.intervalMs ?? DEFAULT_SCRAPE_TARGET.intervalMs,
      timeoutMs: target.timeoutMs ?? DEFAULT_SCRAPE_TARGET.timeoutMs,
      bodyBytes: target.bodyBytes ?? DEFAULT_SCRAPE_TARGET.bodyBytes,
      samples: target.samples ?? DEFAULT_SCRAPE_TARGET.samples,
      series: target.series ?? DEFAULT_SCRAPE_TARGET.series,
      redirects: target.redirects ?? DEFAULT_SCRAPE_TARGET.redirects,
    };
    this.#honorTimestamps = target.honorTimestamps ?? true;
    this.#tags = tagsOf(target);
    for (const tag of this.#tags) seriesName(ANY_TENANT, OWN, SERIES_CLASS.reading, [tag]);
    this.#ownKeys = new Set(this.#tags.map((tag) => tag.split(':', 1)[0]));
    this.name = `scrape ${this.#tags[0].slice('instance:'.length)}`;
    this.everyMs = this.#limits.intervalMs;
    // Derived from the target's URL and tags, so that a restart keeps its phase.
    const hash = hash128(Buffer.from(`${target.url} ${this.#tags.join(',')}`)).readUInt32LE(0);
    this.phaseMs = hash % this.#limits.intervalMs;
    this.#parser = new ExpositionParser({
      limits: { ...DEFAULT_EXPOSITION_LIMITS, samples: this.#limits.samples, series: this.#limits.series },
      resolve: (series) => this.#scraped(series),
    });
  }

  async run(sink: CheckSink, signal: AbortSignal): Promise<void> {
    const startMs = this.#ports.clock.monotonicMs();
    try {
      const got = await this.#get(signal);
      this.#accept(got, sink);
      sink.gauge(`${OWN}.up`, 1, this.#tags);
    } catch (error) {
      this.#detail = {};
      // A stopping agent does not wait for the target, so it must not report it as down.
      if (!signal.aborted) {
        sink.gauge(`${OWN}.up`, 0, this.#tags);
        this.#living.endScrape((series) => endIn(sink, series));
      }
      throw error;
    } finally {
      if (!signal.aborted) sink.gauge(`${OWN}.duration_ms`, this.#ports.clock.monotonicMs() - startMs, this.#tags);
    }
  }

  leftOut(): readonly LeftOut[] {
    return [...this.#leftOut.values()];
  }

  detail(): Readonly<Record<string, string | number>> {
    return this.#detail;
  }

  async #get(signal: AbortSignal): Promise<GetResult> {
    const { authorizationFile = '', caFile = '' } = this.#target;
    const { timeoutMs, intervalMs, bodyBytes, redirects } = this.#limits;
    const waitMs = Math.min(timeoutMs, intervalMs);
    const authorization = authorizationFile === '' ? undefined : await this.#ports.readText(authorizationFile);
    const ca = caFile === '' ? undefined : await this.#ports.readText(caFile);
    const got = await boundedGet(this.#url, {
      clock: this.#ports.clock,
      timeoutMs: waitMs,
      bodyBytes,
      redirects,
      signal,
      ca,
      headers: {
        accept: ACCEPT,
        'accept-encoding': 'gzip',
        'user-agent': 'tidemark-agent',
        'x-prometheus-scrape-timeout-seconds': String(waitMs / 1000),
        ...(authorization === undefined ? {} : { authorization: authorization.trim() }),
      },
    });
    if (got.status !== 200)
      throw new TidemarkError('unavailable', `HTTP status: ${got.status} (limit: 200)`, { status: got.status });
    return got;
  }

  #accept({ contentType, body, isCut }: GetResult, sink: CheckSink): void {
    const format = formatOf(contentType);
    if (format === undefined) {
      const message = `content-type: ${contentType?.slice(0, 100)} (limit: text/plain or application/openmetrics-text)`;
      throw new TidemarkError('failed_precondition', message, { field: 'content-type' });
    }
    const report = this.#parser.parse(
      body,
      format,
      (series, value, timestampMs) => {
        const statedMs = this.#honorTimestamps ? timestampMs : undefined;
        sink[series.kind](series.metric, value, series.tags, statedMs);
        this.#living.see(series, statedMs === undefined);
      },
      { isCut, onDescribed: (name, text) => sink.describe(this.#metricOf(name), text) },
    );
    this.#living.endScrape((series) => endIn(sink, series));
    const rejected = new Map([...report.bad].map(([reason, { count }]) => [reason, count]));
    // The number of samples in the rest is unknown: it counts as one.
    if (isCut) rejected.set('body_bytes_limit', 1);
    sink.gauge(`${OWN}.samples`, report.samples, this.#tags);
    for (const [reason, { count, line, example }] of report.bad) {
      if (reason === NO_OBSERVATIONS) continue;
      const where = line === 0 ? `${this.name}: whole body` : `${this.name}, line ${line}: ${example}`;
      this.#leave(reason, count, where);
    }
    if (isCut) this.#leave('body_bytes_limit', 1, `${this.name}: cut at ${body.length} bytes`);
    for (const [reason, count] of rejected) sink.count(`${OWN}.rejected`, count, [...this.#tags, `reason:${reason}`]);
    this.#detail = this.#detailOf(report, body.length, isCut);
    for (const [reason, { line, example }] of report.bad) this.#report(reason, line, example);
  }

  #leave(reason: string, count: number, example: string): void {
    const known = this.#leftOut.get(reason);
    this.#leftOut.set(reason, { reason, count: (known?.count ?? 0) + count, example: known?.example ?? example });
  }

  #report(reason: string, line: number, example: string): void {
    if (reason === NO_OBSERVATIONS || this.#reported.has(reason)) return;
    this.#reported.add(reason);
    this.#ports.onProblem?.('a scrape left lines out', { check: this.name, reason, line: `${line}`, example });
  }

  #detailOf(report: ExpositionReport, bytes: number, isCut: boolean): Record<string, string | number> {
    const detail: Record<string, string | number> = { samples: report.samples, series: this.#parser.series, bytes };
    for (const [reason, { count, line, example }] of report.bad) {
      detail[reason] = line === 0 ? `${count}` : `${count}, first in line ${line}: ${example}`;
    }
    if (isCut) detail.body_bytes_limit = `cut at ${bytes} bytes`;
    return detail;
  }

  #metricOf(name: string): string {
    return `${this.#target.prefix ?? ''}${name}`;
  }

  /** Makes the series of the sink. Throws when its name or tags exceed the limits of a point. */
  #scraped({ name, labels, kind }: TypedSeries): ScrapedSeries {
    const metric = this.#metricOf(name);
    const own = labels.map(([label, value]) => labelTag(this.#ownKeys.has(label) ? `exported_${label}` : label, value));
    const tags = [...this.#tags, ...own];
    seriesName(ANY_TENANT, metric, classOfKind(KIND[kind]), tags);
    return { key: `${metric}\0${tagsKey([...tags].sort())}`, metric, kind, tags };
  }
}

function endIn(sink: CheckSink, { metric, kind, tags }: ScrapedSeries): void {
  sink.end(metric, kind, tags);
}
