/** Reasons that depend on when and where a point arrives: another intake may have stored it a moment before. */
export const PASSING_REASONS: ReadonlySet<string> = new Set([
  'timestamp_ahead',
  'timestamp_behind',
  'series_over_budget',
  'tenant_definitions',
]);
