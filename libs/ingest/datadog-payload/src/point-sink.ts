import type { KindName } from '@tidemark/model';

/** Where decoded points go: what a request to the intake takes. */
export interface PointSink {
  /** The handle of a series that points follow for. The name is unchecked; points of a wrong one are for the sink to refuse. */
  series(name: { readonly metric: string; readonly kind: KindName; readonly tags: readonly string[] }): number;
  /** True when the series was refused as it is named: its handle is not worth remembering. */
  isRefused(handle: number): boolean;
  /** A finite value. */
  point(handle: number, timeMs: number, value: number): void;
  /** Points that are left out, by a reason of a closed set, with the field and the limit that it broke. */
  reject(reason: string, field: string, limit: string, points: number): void;
}
