import { DAY_MS } from './day.ts';

/** The limits of a point. Every check that refuses a point names one of these. */
export interface PointLimits {
  /** UTF-8 bytes of a metric's name. */
  readonly metricBytes: number;
  /** UTF-8 bytes of one `key:value`; by default for a value of 4 KiB. */
  readonly tagBytes: number;
  /** UTF-8 bytes of a metric's name and all tags of one series. */
  readonly seriesBytes: number;
  /** Tags of one series, after duplicates are dropped. */
  readonly tags: number;
  /** UTF-8 bytes of a tenant's name. */
  readonly tenantBytes: number;
  /** How far ahead of the intake's clock a timestamp may be, ms. */
  readonly aheadMs: number;
  /** How far behind the intake's clock a timestamp may be, ms. */
  readonly behindMs: number;
  /** How long stores keep points, ms; undefined for permanently. Older ones would be deleted soon after they were accepted. */
  readonly keptMs?: number;
}

export const DEFAULT_POINT_LIMITS: PointLimits = {
  metricBytes: 200,
  tagBytes: 4096 + 256,
  seriesBytes: 32 * 1024,
  tags: 100,
  tenantBytes: 64,
  aheadMs: 10 * 60_000,
  behindMs: 7 * DAY_MS,
};
