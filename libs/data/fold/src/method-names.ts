/** Over time, into longer steps. */
export const REFOLD_METHODS = ['avg', 'sum', 'min', 'max', 'count', 'last'] as const;
export type RefoldMethod = (typeof REFOLD_METHODS)[number];

/** Over space. */
export const REGROUP_METHODS = ['avg', 'sum', 'min', 'max', 'count', 'stddev'] as const;
export type RegroupMethod = (typeof REGROUP_METHODS)[number];

/** How finished series become one; a percentile is one of the series' values, by the nearest rank. */
export type Regrouping =
  | { readonly type: 'method'; readonly name: RegroupMethod }
  | { readonly type: 'percentile'; readonly percentile: number };

/** Over the last steps, of `moving_rollup`. */
export const MOVING_METHODS = ['avg', 'sum', 'min', 'max', 'count'] as const;
export type MovingMethod = (typeof MOVING_METHODS)[number];
