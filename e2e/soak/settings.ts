/** Settings of the platform: tables are small and expire soon, so that they are full within the warm-up. */
export const SETTINGS = {
  budgets: { tenantSeries: 3000, metricSeries: 1000 },
  log: { segmentBytes: 1_048_576, tailCacheBytes: 1_048_576 },
  store: {
    commitStepMs: 10_000,
    bucketMs: 20_000,
    retentionMs: 120_000,
    recentBytes: 1_048_576,
    bucketHashes: 10,
    seriesSetsBytes: 65_536,
  },
  requests: { seriesPerTenant: 5000, startOverMs: 10_000, clientSessions: 100_000, idleMs: 30_000 },
  lane: { epochMs: 20_000 },
  agent: { seriesExpiryMs: 20_000, maxSeries: 30_000 },
  dogstatsd: { cachedSpellings: 5000, series: 5000 },
  query: { seriesSets: 100 },
};
