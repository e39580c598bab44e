import type { Token } from './scanner.ts';

/** What may stand at a place of a query. */
export type Place =
  /** A metric, an aggregator with a colon, or a function. */
  | { readonly type: 'operand' }
  | { readonly type: 'metric' }
  /** Within a scope: a tag, or a key before IN. */
  | { readonly type: 'tag' }
  /** A value of a key in the list after IN. */
  | { readonly type: 'value'; readonly key: string }
  /** A tag key to group by. */
  | { readonly type: 'key' }
  /** The word `by`, or anything that may follow a query without it. */
  | { readonly type: 'by' }
  /** A function after the dot. */
  | { readonly type: 'suffix'; readonly choices: readonly string[] }
  | { readonly type: 'choice'; readonly choices: readonly string[] };

/** Receives each place that the parser comes to, with the token at it. */
export type OnPlace = (token: Token, place: Place) => void;
