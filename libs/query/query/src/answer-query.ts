import { dropSteps } from '@tidemark/fold';
import { assert } from '@tidemark/ports';
import {
  type Expression,
  evaluate,
  type LeafView,
  leavesOf,
  printAggregator,
  printExpression,
  type QueryLeaf,
} from '@tidemark/query-language';
import { type QueryPlan, readKey } from './query-plan.ts';
import type { AskedExpression, QueryAnswer } from './query-reader.ts';
import type { QueryRun } from './query-run.ts';
import { resultSeries } from './result-series.ts';
import { suggestions } from './suggestions.ts';
import { frameOfView } from './view-frame.ts';

/** Reads what the plan says, and evaluates the query over it. The tests of query-service.ts cover it. */
export async function answerQuery(plan: QueryPlan, run: QueryRun, signal: AbortSignal): Promise<QueryAnswer> {
  const { query, shapeOf, reads } = plan;
  const views = new Map(
    await Promise.all(
      [...reads].map(async ([key, { leaf, steps }]) => [key, await frameOfView(run, leaf, steps)] as const),
    ),
  );
  run.parts.requireOne();
  const frameOf = (leaf: QueryLeaf, view: LeafView) => {
    const key = readKey(leaf, view);
    const [read, found] = [reads.get(key), views.get(key)];
    assert(read !== undefined && found !== undefined, 'every leaf has been read');
    return dropSteps(found.frame, read.steps.before - view.before);
  };
  const results = evaluate(query, frameOf, shapeOf);
  const leaves = leavesOf(query);
  for (const leaf of leaves) {
    if (leaf.rollup?.seconds !== undefined || leaf.rollup?.calendar !== undefined) continue;
    run.notes.add(
      `steps of ${shapeOf(leaf).stepMs / 1000} s, chosen for the range; use .rollup(seconds) for other steps`,
    );
  }
  const looked = [...reads].flatMap(([key, read]) => {
    const view = views.get(key);
    return view === undefined ? [] : [{ ...read, ...view }];
  });
  for (const note of await suggestions(run, looked, signal)) run.notes.add(note);
  return {
    series: query.expressions.flatMap((expression, i) => resultSeries(expression, results[i], run.throughMs)),
    completeThroughMs: run.throughMs,
    errors: run.parts.sortedErrors(),
    gaps: run.gaps,
    pointsRead: run.pointsRead,
    seriesRead: run.seriesRead,
    notes: [...run.notes],
    expressions: query.expressions.map(askedExpression),
    groupBy: [...new Set(leaves.flatMap((leaf) => leaf.groupBy))],
  };
}

function askedExpression(expression: Expression): AskedExpression {
  const aggregator = expression.type === 'query' ? printAggregator(expression.aggregator) : undefined;
  return { text: printExpression(expression), aggregator };
}
