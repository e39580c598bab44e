import type { KindName, MetricChange } from '@tidemark/model';

/** Receiver of decoded points, such as a request to the intake. */
export interface PointSink {
  /**
   * Returns the handle of a series for the points that follow. The name is unchecked: the sink refuses the points of a
   * wrong name.
   */
  series(name: {
    readonly metric: string;
    readonly kind: KindName;
    readonly tags: readonly string[];
    /** Reporting interval of an amount, ms, if the payload states it. */
    readonly intervalMs?: number;
  }): number;
  /** Takes what the payload says of a metric apart from its points. */
  describe(metric: string, change: MetricChange): void;
  /** Returns true when the series was refused by its name. The caller does not store such a handle. */
  isRefused(handle: number): boolean;
  /** Adds a point with a finite value. */
  point(handle: number, timeMs: number, value: number): void;
  /** Adds a packed sketch of a distribution. The sink owns the bytes. */
  sketch(handle: number, timeMs: number, packed: Uint8Array): void;
  /**
   * Counts refused points by a reason of a closed set, with the field and the limit that they violate. `example` names
   * one of them in the message.
   */
  reject(reason: string, field: string, limit: string, points: number, example?: string): void;
}
