/** Functions of Datadog's documentation that this language does not have. */
const NOT_SUPPORTED: ReadonlySet<string> = new Set([
  'anomalies',
  'outliers',
  'forecast',
  'change',
  'pct_change',
  'top_offset',
  'derived',
  'avg_5min',
  'avg_10min',
  'avg_30min',
  'avg_hourly',
  'avg_daily',
]);

/** True for a function that Datadog has and Tidemark does not. */
export function isMissingFunction(name: string): boolean {
  return NOT_SUPPORTED.has(name);
}
