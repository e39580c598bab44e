import { TidemarkError } from '@tidemark/ports';

/** An exporter to scrape. */
export interface ScrapeTarget {
  /** An `http:` or `https:` URL without a user. */
  readonly url: string;
  /** The tag `instance:…` of all its series. Default: host and port of the URL. */
  readonly instance?: string;
  /** Further tags of its series. */
  readonly tags?: readonly string[];
  /** Put before each metric's name. */
  readonly prefix?: string;
  readonly intervalMs?: number;
  /** Timeout of a whole scrape, ms; capped at the interval. */
  readonly timeoutMs?: number;
  /** Max bytes of a response after decompression. */
  readonly bodyBytes?: number;
  /** Max samples of a response. */
  readonly samples?: number;
  /** Max series known at a time. */
  readonly series?: number;
  /** Keeps the timestamps in the body. Otherwise, as without any, a reading gets the time of its scrape. Default: true. */
  readonly honorTimestamps?: boolean;
  /** Max redirects to follow. */
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

/** Parses the URL of a target. Throws `invalid_argument` when it cannot be scraped. */
export function urlOf({ url }: ScrapeTarget): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  // A URL that can't be parsed may have a password, too, in a place that only its writer knows.
  const shown = parsed?.username === '' && parsed.password === '' ? url : url.replace(/\/\/.*@/, '//…@');
  if (parsed === undefined || (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')) {
    throw refusal(`${shown} is not an http or https URL`);
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw refusal(`${parsed.host} has a user in its URL, which would appear in logs; use authorizationFile`);
  }
  return parsed;
}

/** Returns the tags of a target's series, its instance first. */
export function tagsOf(target: ScrapeTarget): readonly string[] {
  const { instance = '', tags = [] } = target;
  return [`instance:${instance === '' ? urlOf(target).host : instance}`, ...tags];
}

function refusal(message: string): TidemarkError {
  return new TidemarkError('invalid_argument', `scrape target ${message}`, { field: 'url' });
}
