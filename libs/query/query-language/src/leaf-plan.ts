import { SPACE_FOLD, type SpaceFold, type SpaceRead, TIME_FOLD, type TimeFold } from '@tidemark/fold';
import { KIND, type Kind, kindName } from '@tidemark/model';
import { TidemarkError, unreachable } from '@tidemark/ports';
import type { QueryLeaf } from './ast.ts';
import { printAggregator } from './print.ts';

/** How the stores fold a leaf over series of one kind, and how their answer is converted. */
export interface LeafPlan {
  readonly timeFold: TimeFold;
  readonly spaceFold: SpaceFold;
  readonly read: SpaceRead;
  /** The kind of the values: amounts per step are of kind `count` and can become rates; all others are gauges. */
  readonly valueKind: Kind;
}

/**
 * Plans a leaf for series of `kind`. Without a rollup method gauges are averaged over a step (with the aggregator `last`,
 * their last value is used), counts are summed, and counters yield their increase, or with as_rate their rate. Readings
 * that may be either are gauges, with as_rate or as_count counters. Throws `invalid_argument` for queries that the kind
 * can't answer: percentiles of anything except distributions, `last` or a rollup method of distributions, and as_rate or
 * as_count of counts that are not summed.
 */
export function planLeaf(leaf: QueryLeaf, kind: Kind): LeafPlan {
  if (leaf.weighted !== undefined) return planWeighted(leaf, kind);
  if (kind === KIND.distribution) return planDistribution(leaf);
  if (leaf.aggregator.type === 'percentile') {
    throw refusal(
      leaf,
      'aggregator',
      `percentiles need a distribution, ${leaf.metric} is a ${kindName(kind)}; use avg, sum, min, max, count or last`,
    );
  }
  const timeFold = timeFoldOf(leaf, kind);
  const counted = timeFold === TIME_FOLD.count || leaf.aggregator.name === 'count';
  return {
    timeFold,
    spaceFold: SPACE_FOLD[leaf.aggregator.name],
    read: { type: 'value' },
    valueKind: !isShownAsRead(leaf, kind) && isAmount(timeFold) && !counted ? KIND.count : KIND.gauge,
  };
}

/** True where values are shown as they were read. Readings of unknown kind are, unless the query asks for a rate. */
function isShownAsRead(leaf: QueryLeaf, kind: Kind): boolean {
  return kind === KIND.gauge || (kind === KIND.reading && leaf.as === undefined);
}

/** Values are summed over time; `evaluate` makes averages over the whole step of the sums. */
function planWeighted(leaf: QueryLeaf, kind: Kind): LeafPlan {
  if (kind !== KIND.gauge && kind !== KIND.reading) {
    throw refusal(leaf, 'weighted', `.weighted() needs a gauge, ${leaf.metric} is a ${kindName(kind)}`);
  }
  const { aggregator, rollup } = leaf;
  const method = rollup?.method ?? 'avg';
  if (
    aggregator.type === 'percentile' ||
    aggregator.name === 'count' ||
    aggregator.name === 'last' ||
    method !== 'avg'
  ) {
    throw refusal(leaf, 'weighted', '.weighted() goes with avg, sum, min or max, and with rollup(avg)');
  }
  return {
    timeFold: TIME_FOLD.sum,
    spaceFold: SPACE_FOLD[aggregator.name],
    read: { type: 'value' },
    valueKind: KIND.gauge,
  };
}

function isAmount(timeFold: TimeFold): boolean {
  return timeFold === TIME_FOLD.sum || timeFold === TIME_FOLD.increase;
}

function timeFoldOf(leaf: QueryLeaf, kind: Kind): TimeFold {
  const method = leaf.rollup?.method;
  if (isShownAsRead(leaf, kind))
    return TIME_FOLD[method ?? (printAggregator(leaf.aggregator) === 'last' ? 'last' : 'avg')];
  if (method === undefined || method === 'sum') {
    if (kind === KIND.count) return TIME_FOLD.sum;
    return leaf.as === 'rate' ? TIME_FOLD.rate : TIME_FOLD.increase;
  }
  if (leaf.as !== undefined) {
    throw refusal(leaf, 'rollup', `.as_${leaf.as}() of a ${kindName(kind)} needs rollup(sum), not rollup(${method})`);
  }
  return TIME_FOLD[method];
}

function planDistribution(leaf: QueryLeaf): LeafPlan {
  const { method } = leaf.rollup ?? {};
  if (method === 'points' && printAggregator(leaf.aggregator) === 'sum') {
    return { timeFold: TIME_FOLD.points, spaceFold: SPACE_FOLD.sum, read: { type: 'value' }, valueKind: KIND.gauge };
  }
  if (method !== undefined) {
    throw refusal(
      leaf,
      'rollup',
      `${leaf.metric} is a distribution, whose points are merged within a step; give rollup only seconds`,
    );
  }
  const sketched = { timeFold: TIME_FOLD.sketch, spaceFold: SPACE_FOLD.sketch, valueKind: KIND.gauge } as const;
  if (leaf.aggregator.type === 'percentile') {
    return { ...sketched, read: { type: 'quantile', quantile: leaf.aggregator.percentile / 100 } };
  }
  const { name } = leaf.aggregator;
  switch (name) {
    case 'sum':
    case 'count':
      // Amounts, of which a step takes its share, as those of counts. A sketch can't be divided.
      return {
        timeFold: name === 'sum' ? TIME_FOLD.sketchSum : TIME_FOLD.sketchCount,
        spaceFold: SPACE_FOLD.sum,
        read: { type: 'value' },
        valueKind: KIND.count,
      };
    case 'avg':
    case 'min':
    case 'max':
      return { ...sketched, read: { type: `sketch-${name}` } };
    case 'last':
      throw refusal(leaf, 'aggregator', `${leaf.metric} is a distribution, which has no last value`);
    default:
      return unreachable(name);
  }
}

function refusal(leaf: QueryLeaf, field: string, message: string): TidemarkError {
  return new TidemarkError('invalid_argument', `${printAggregator(leaf.aggregator)}:${leaf.metric}: ${message}`, {
    field,
    metric: leaf.metric,
  });
}
