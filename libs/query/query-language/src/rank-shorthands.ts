import type { FunctionArgument } from '@tidemark/fold';
import { RANK_METHODS, RANK_ORDERS } from '@tidemark/fold/words';
import { assert } from '@tidemark/ports';

const COUNTS = [5, 10, 15, 20] as const;
const METHODS = ['mean', 'max', 'min', 'last', 'area', 'l2norm'] as const;

interface RankCall {
  readonly name: 'top' | 'bottom';
  readonly args: readonly FunctionArgument[];
}

/** What `top5`, `bottom10_min` and their like stand for, by name. */
const SHORTHANDS: ReadonlyMap<string, RankCall> = new Map(
  (['top', 'bottom'] as const).flatMap((name) => {
    const order = name === 'top' ? 'desc' : 'asc';
    return COUNTS.flatMap((count) => [
      [`${name}${count}`, { name, args: [count, 'mean', order] }] as const,
      ...METHODS.map((method) => [`${name}${count}_${method}`, { name, args: [count, method, order] }] as const),
    ]);
  }),
);

export const RANK_SHORTHANDS: readonly string[] = [...SHORTHANDS.keys()];

/** The call of `top` or `bottom` that a name stands for; undefined when it is not such a name. parse.test.ts covers it. */
export function rankShorthand(name: string): RankCall | undefined {
  const found = SHORTHANDS.get(name);
  assert(found === undefined || RANK_METHODS.some((method) => method === found.args[1]), 'the method exists');
  assert(found === undefined || RANK_ORDERS.some((order) => order === found.args[2]), 'the order exists');
  return found;
}
