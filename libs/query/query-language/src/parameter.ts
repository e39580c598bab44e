import type { FunctionArgument } from '@tidemark/fold';

/** An argument after the expression. One with a `default` may be left out, with all that follow it. */
export type Parameter = {
  readonly name: string;
  readonly default?: FunctionArgument;
} & (
  | { readonly type: 'number' }
  | { readonly type: 'integer'; readonly min: number; readonly max: number }
  | { readonly type: 'choice'; readonly choices: readonly string[] }
  | { readonly type: 'text'; readonly expected: string; readonly isValid: (text: string) => boolean }
);
