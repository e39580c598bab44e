/** Series of one batch: a scrape of some targets. */
export const BATCH = 2000;
export const METRICS = 50;
export const TAGS = 8;

/** A series as no protocol names it yet. */
export interface NewSeries {
  readonly metric: string;
  readonly tags: readonly (readonly [key: string, value: string])[];
}

/** Returns the series of a batch, which no other batch has: pods with some metrics each. */
export function seriesOf(batch: number): NewSeries[] {
  return Array.from({ length: BATCH }, (_, i) => {
    const pod = Math.floor(i / METRICS);
    const own = [
      ['pod', `web-${batch}-${pod}`],
      ['container', `app-${batch}-${pod}`],
    ] as const;
    const shared = Array.from(
      { length: TAGS - own.length },
      (__, n) => [`label${n}`, `value-${n}-${(batch * 7 + pod) % 50}`] as const,
    );
    return { metric: `app_metric_${i % METRICS}`, tags: [...own, ...shared] };
  });
}
