/** Statuses of Datadog's service checks; the index of a status is its number, and the value of the check's metric. */
export const SERVICE_CHECK_STATUSES = ['ok', 'warning', 'critical', 'unknown'] as const;

/** Returns the gauge of a service check: checks and metrics have names of their own at Datadog. */
export function serviceCheckMetric(name: string): string {
  return `service_check.${name}`;
}
