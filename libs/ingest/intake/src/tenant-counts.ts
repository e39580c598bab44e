import type { RefusedData, Rejection } from '@tidemark/contract';
import type { Clock } from '@tidemark/ports';
import { CountsByReason } from './refused-data.ts';

/** Refused points, and data that was left out, by tenant and reason. */
export class TenantCounts {
  readonly #rejected: CountsByReason;
  readonly #leftOut: CountsByReason;

  constructor(clock: Pick<Clock, 'wallMs'>) {
    this.#rejected = new CountsByReason(clock);
    this.#leftOut = new CountsByReason(clock);
  }

  /** Counts the refused points of an accepted or refused batch. */
  reject(tenant: string, rejections: readonly Rejection[]): void {
    for (const { reason, points, message } of rejections) this.#rejected.add(tenant, reason, points, message);
  }

  /** Counts data of a settled request that is valid but has no place in the platform, with the metric of the first. */
  leaveOut(tenant: string, leftOut: ReadonlyMap<string, LeftOut>): void {
    for (const [reason, { count, example }] of leftOut) this.#leftOut.add(tenant, reason, count, example);
  }

  rejectedOf(tenant: string): Record<string, number> {
    return this.#rejected.of(tenant);
  }

  leftOutOf(tenant: string): Record<string, number> {
    return this.#leftOut.of(tenant);
  }

  /** Returns both with their examples. */
  listOf(tenant: string): RefusedData[] {
    return [...this.#rejected.list('rejected', tenant), ...this.#leftOut.list('left_out', tenant)];
  }
}

/** Data that was left out for one reason. */
export interface LeftOut {
  readonly count: number;
  /** Metric of the first; empty when it is unknown. */
  readonly example: string;
}
