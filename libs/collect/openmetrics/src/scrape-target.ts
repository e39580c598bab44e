import { TidemarkError } from '@tidemark/ports';

/** Somebody to ask for metrics. */
export interface ScrapeTarget {
  /** `http:` or `https:`, without a user in it. */
  readonly url: string;
  /** The tag `instance:…` of all its series. Default: host and port of the URL. */
  readonly instance?: string;
  /** Further tags of its series. */
  readonly tags?: readonly string[];
  /** Put before each metric's name. */
  readonly prefix?: string;
  readonly intervalMs?: number;
  /** For a whole answer, ms; at most the interval. */
  readonly timeoutMs?: number;
  /** Bytes of an answer, after decompression. */
  readonly bodyBytes?: number;
  /** Samples of an answer. */
  readonly samples?: number;
  /** Series known of it at a time. */
  readonly series?: number;
  /** Redirects followed. */
  readonly redirects?: number;
  /** A file with the value of the header `Authorization`, read at each scrape. */
  readonly authorizationFile?: string;
  /** A file with certificates to trust instead of the system's, PEM, read at each scrape. */
  readonly caFile?: string;
}

export const DEFAULT_SCRAPE_TARGET = {
  intervalMs: 15_000,
  timeoutMs: 10_000,
  bodyBytes: 16 * 1024 * 1024,
  samples: 50_000,
  series: 50_000,
  redirects: 3,
} as const;

/** The URL of a target. Throws `invalid_argument` when it isn't one that can be scraped. */
export function urlOf({ url }: ScrapeTarget): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')) {
    throw refusal(`${url} is no http or https URL`);
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw refusal(`${parsed.host}: a user in the URL would show in logs; use authorizationFile`);
  }
  return parsed;
}

/** The tags of a target's series, its instance first. */
export function tagsOf(target: ScrapeTarget): readonly string[] {
  const { instance = '', tags = [] } = target;
  return [`instance:${instance === '' ? urlOf(target).host : instance}`, ...tags];
}

function refusal(message: string): TidemarkError {
  return new TidemarkError('invalid_argument', `scrape target ${message}`, { field: 'url' });
}
