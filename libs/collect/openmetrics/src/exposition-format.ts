/** The two text formats: Prometheus 0.0.4 and OpenMetrics 1.0. */
export type ExpositionFormat = 'text' | 'openmetrics';

/** The `Accept` header of a scrape: OpenMetrics is preferred to text, and text to any other format. */
export const ACCEPT =
  'application/openmetrics-text;version=1.0.0;q=0.9,text/plain;version=0.0.4;q=0.6,text/plain;q=0.4,*/*;q=0.1';

const FORMATS: Readonly<Record<string, ExpositionFormat>> = {
  'application/openmetrics-text': 'openmetrics',
  'text/plain': 'text',
};

/**
 * Returns the format of a `Content-Type`; text when the header is absent. Undefined for any other type: HTML and
 * protobuf are not expositions, although some of their lines may parse as one.
 */
export function formatOf(contentType: string | undefined): ExpositionFormat | undefined {
  const type = (contentType ?? '').split(';', 1)[0].trim().toLowerCase();
  return type === '' ? 'text' : FORMATS[type];
}
