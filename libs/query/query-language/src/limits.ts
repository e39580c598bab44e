/** Bounds of the text of a query. */
export interface QueryLimits {
  /** UTF-16 code units of the whole text. */
  readonly queryLength: number;
  /** Parentheses, function calls, signs and `NOT`s that are nested. */
  readonly depth: number;
  /** Queries and constants in all expressions together. */
  readonly leaves: number;
  /** The longest step of a rollup, s. */
  readonly rollupSeconds: number;
  /** The longest reach of a fill, s. */
  readonly fillSeconds: number;
}

export const DEFAULT_QUERY_LIMITS: QueryLimits = {
  queryLength: 16_384,
  depth: 32,
  leaves: 100,
  rollupSeconds: 366 * 86_400,
  fillSeconds: 366 * 86_400,
};
