/** What is known of the times of a class. */
export interface TimeClass {
  readonly count: number;
  readonly firstMs: number;
  readonly lastMs: number;
  /** The step of regular times, ms, else -1. A single time has a step of 0. */
  readonly stepMs: number;
}
