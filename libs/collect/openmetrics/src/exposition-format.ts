/** The two text formats: Prometheus' 0.0.4, and OpenMetrics 1.0. */
export type ExpositionFormat = 'text' | 'openmetrics';

/** What a scrape asks for: OpenMetrics rather than text, and text rather than anything else. */
export const ACCEPT =
  'application/openmetrics-text;version=1.0.0;q=0.9,text/plain;version=0.0.4;q=0.6,text/plain;q=0.4,*/*;q=0.1';

const FORMATS: Readonly<Record<string, ExpositionFormat>> = {
  'application/openmetrics-text': 'openmetrics',
  'text/plain': 'text',
};

/**
 * The format that a `Content-Type` names; exporters that send none mean text. Undefined for any other type: a page of
 * HTML or a protobuf is no exposition, however many of its lines might pass for one.
 */
export function formatOf(contentType: string | undefined): ExpositionFormat | undefined {
  const type = (contentType ?? '').split(';', 1)[0].trim().toLowerCase();
  return type === '' ? 'text' : FORMATS[type];
}
