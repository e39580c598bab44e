import { describe, expect, test } from '@jest/globals';
import { KIND, type Kind, kindName } from '@tidemark/model';
import type { DDSketch } from '@tidemark/sketch';
import fc from 'fast-check';
import { type AggregateOutput, Aggregator, METRIC_SUFFIXES } from './aggregator.ts';
import { DogStatsDParser } from './parser.ts';
import { DEFAULT_DOGSTATSD_LIMITS, type DogStatsDLimits } from './statsd-limits.ts';
import type { StatsdSeries } from './statsd-series.ts';
import { StatsdSeriesTable } from './statsd-series-table.ts';

/** `metric kind` → value; sketches by metric. */
class Points implements AggregateOutput {
  values: Record<string, number> = {};
  sketches: Record<string, DDSketch> = {};

  serviceCheck(): void {}

  point(series: StatsdSeries, suffix: number, kind: Kind, value: number): void {
    const key = `${series.metric}${METRIC_SUFFIXES[suffix]} ${kindName(kind)}`;
    this.values[key] = kind === KIND.count ? (this.values[key] ?? 0) + value : value;
  }

  sketch(series: StatsdSeries, sketch: DDSketch): void {
    this.sketches[series.metric] = sketch;
  }
}

function wired(changes: Partial<DogStatsDLimits> = {}, idleIntervals = 10) {
  const limits = { ...DEFAULT_DOGSTATSD_LIMITS, ...changes };
  const points = new Points();
  const table = new StatsdSeriesTable(limits, Buffer.alloc(16));
  const aggregator = new Aggregator(table, points, limits, idleIntervals);
  const parser = new DogStatsDParser(table, aggregator, limits);
  const send = (...lines: string[]): void => parser.parse(Buffer.from(lines.join('\n')));
  const flush = (): Record<string, number> => {
    points.values = {};
    points.sketches = {};
    aggregator.flush(1_000);
    return points.values;
  };
  return { aggregator, points, send, flush, table };
}

describe('each type', () => {
  test('counts sum values weighted by 1 / rate, gauges keep the last value, sets count distinct members', () => {
    const { send, flush } = wired();
    send('c:1|c', 'c:2|c|@0.1', 'g:5|g|@0.5', 'g:7|g', 's:a|s', 's:b|s', 's:a|s');
    expect(flush()).toEqual({ 'c count': 21, 'g gauge': 7, 's gauge': 2 });
    // An interval without values emits nothing, and each interval starts from zero.
    expect(flush()).toEqual({});
    send('c:4|c', 's:a|s');
    expect(flush()).toEqual({ 'c count': 4, 's gauge': 1 });
  });

  test('a gauge with a sign is set and counted, or changes the last value', () => {
    const plain = wired();
    plain.send('g:10|g', 'g:+5|g', 't:-5|g', 'c:-1|c');
    expect(plain.flush()).toEqual({ 'g gauge': 5, 't gauge': -5, 'c count': -1 });
    expect(plain.aggregator.counts()).toMatchObject({ signedGauges: 2, signedGaugeExample: 'g:+5|g' });
    const zero = wired();
    zero.send('temp:-0|g');
    expect(zero.aggregator.counts().signedGaugeExample).toBe('temp:-0|g');
    const { send, flush, aggregator } = wired({ gaugeDeltas: true });
    send('g:10|g', 'g:+5|g', 'h:10:-5|g', 'new:-5|g');
    expect(flush()).toEqual({ 'g gauge': 15, 'h gauge': 5, 'new gauge': -5 });
    send('g:+1|g', 'h:7|g', 'h:-5|g|T1656581400');
    expect(flush()).toEqual({ 'g gauge': 16, 'h gauge': 7 });
    expect(aggregator.counts().signedGauges).toBe(0);
  });

  test('histograms and timings give the agent’s default aggregates', () => {
    const { send, flush } = wired();
    send(...Array.from({ length: 20 }, (_, i) => `h:${20 - i}|h`), 't:10|ms', 't:30|ms|@0.5');
    expect(flush()).toEqual({
      'h.avg gauge': 10.5,
      'h.count count': 20,
      'h.median gauge': 10,
      'h.95percentile gauge': 19,
      'h.max gauge': 20,
      't.avg gauge': 70 / 3,
      't.count count': 3,
      't.median gauge': 30,
      't.95percentile gauge': 30,
      't.max gauge': 30,
    });
  });

  test('distributions are sketches, with counts within 1 of the weighted sum', () => {
    const { send, flush, points } = wired();
    send('d:1:2:3|d', 'd:100|d|@0.5', ...Array.from({ length: 10 }, () => 'odd:5|d|@0.3'));
    expect(flush()).toEqual({});
    expect(points.sketches.d.count).toBe(5);
    expect(points.sketches.d.sum).toBe(206);
    expect(points.sketches.d.max).toBe(100);
    expect(Math.abs(points.sketches.odd.count - 10 / 0.3)).toBeLessThanOrEqual(1);
  });

  test('values with a timestamp of their own are passed on before the flush', () => {
    const { send, flush, points } = wired();
    send('c:3|c|@0.5|T1656581400', 'g:1|g|T1656581400');
    expect(points.values).toEqual({ 'c count': 6, 'g gauge': 1 });
    expect(flush()).toEqual({});
  });
});

test('a histogram with many values moves to a sketch: exact count, sum and maximum, percentiles within 1%', () => {
  const { send, flush } = wired({ exactValues: 10 });
  send(...Array.from({ length: 1_000 }, (_, i) => `h:${i + 1}|h`));
  const values = flush();
  expect(values['h.count count']).toBe(1_000);
  expect(values['h.avg gauge']).toBeCloseTo(500.5, 9);
  expect(values['h.max gauge']).toBe(1_000);
  expect(Math.abs(values['h.median gauge'] - 500)).toBeLessThanOrEqual(5.1);
  expect(Math.abs(values['h.95percentile gauge'] - 950)).toBeLessThanOrEqual(9.6);
});

test('values over a limit are dropped and counted, and the next interval starts with free limits', () => {
  const { send, flush, aggregator } = wired({ series: 4, setMembers: 3, sketches: 1, exactValues: 2, keptEvents: 2 });
  send('s:a|s', 's:b|s', 's:c|s', 's:d|s', 's:a|s', 'd:1|d', 'e:1|d', 'h:1:2:3|h', 'one-more:1|c');
  send('_e{1,1}:a|b', '_e{1,1}:b|b', '_e{1,1}:c|b', '_sc|x|0');
  expect(flush()).toMatchObject({ 's gauge': 3, 'h.count count': 2, 'h.max gauge': 2 });
  expect(aggregator.counts()).toMatchObject({
    events: 3,
    serviceChecks: 1,
    refused: { set_members_limit: 1, sketches_limit: 2, series_limit: 1 },
    examples: { series_limit: 'one-more:1|c' },
  });
  expect(aggregator.events().map(({ title }) => title)).toEqual(['b', 'c']);
  // The next interval has room again: idle series are removed.
  send('one-more:1|c', 'e:1|d', 's:e|s');
  expect(flush()).toMatchObject({ 'one-more count': 1, 's gauge': 1 });
});

test('a value that takes a sum beyond the range of a float is refused alone', () => {
  const { send, flush, aggregator } = wired();
  send('c:1e308|c', 'c:1e308|c', 'ok:1|c');
  send('c:1e308|c|@0.001', 'c:1e308|c|@0.001|T1656581400');
  expect(flush()).toEqual({ 'c count': 1e308, 'ok count': 1 });
  expect(aggregator.counts()).toMatchObject({ values: 2, refused: { value_infinite: 3 } });
});

test('every value counts once, as accepted or as refused', () => {
  const limits = { series: 2, setMembers: 1, sketches: 1, exactValues: 2, valuesPerLine: 3 };
  const { send, aggregator } = wired(limits);
  const long = 't'.repeat(5000);
  send(
    'h:1:2:3:4:5|h',
    'd:1:2|d',
    `x:1:2|c|#${long}`,
    's:a|s',
    's:b|s',
    's:a|s',
    'one:1:2:3|c|@2',
    'nine:1:2|c',
    'h:x:1|h',
  );
  const { values, refused } = aggregator.counts();
  const expected = {
    ...{ values_per_line_limit: 2, tag_too_long: 2, sample_rate_invalid: 3, value_invalid: 1 },
  };
  expect(refused).toMatchObject(expected);
  const lost = Object.values(refused).reduce((sum, count) => sum + count, 0);
  expect(values + lost).toBe(5 + 2 + 2 + 3 + 3 + 2 + 2);
});

test('idle series are forgotten', () => {
  const { send, flush, aggregator } = wired({}, 4);
  for (let i = 0; i < 50; i++) {
    send(`churn${i}:1|c`, 'steady:1|c');
    expect(flush()).toEqual({ [`churn${i} count`]: 1, 'steady count': 1 });
  }
  expect(aggregator.counts().knownSeries).toBeLessThanOrEqual(6);
});

test('the aggregates equal those of a plain model, for any mix of lines and flushes', () => {
  const line = fc.record({
    name: fc.constantFrom('a', 'b'),
    type: fc.constantFrom('c', 'g', 's', 'h', 'ms'),
    value: fc.integer({ min: -50, max: 50 }),
    rate: fc.constantFrom(1, 0.5, 0.25),
    swapped: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(fc.array(line, { maxLength: 30 }), { maxLength: 4 }), (intervals) => {
      const { send, flush } = wired({}, 2);
      for (const lines of intervals) {
        const model = new Map<string, { type: string; all: number[]; last: number; distinct: Set<number> }>();
        for (const { name, type, value, rate, swapped } of lines) {
          const metric = `${name}.${type}`;
          const state = model.get(metric) ?? { type, all: [], last: 0, distinct: new Set() };
          model.set(metric, state);
          for (let i = 0; i < 1 / rate; i++) state.all.push(value);
          state.last = value;
          state.distinct.add(value);
          send(`${metric}:${value}|${type}|@${rate}|#${swapped ? 'y,x' : 'x,y'}`);
        }
        const expected: Record<string, number> = {};
        for (const [metric, { type, all, last, distinct }] of model) {
          const sum = all.reduce((total, value) => total + value, 0);
          const sorted = all.toSorted((a, b) => a - b);
          if (type === 'c') expected[`${metric} count`] = sum;
          else if (type === 'g') expected[`${metric} gauge`] = last;
          else if (type === 's') expected[`${metric} gauge`] = distinct.size;
          else {
            expected[`${metric}.avg gauge`] = sum / all.length;
            expected[`${metric}.count count`] = all.length;
            expected[`${metric}.median gauge`] = sorted[Math.floor((all.length - 1) / 2)];
            expected[`${metric}.95percentile gauge`] = sorted[Math.floor((95 * all.length - 1) / 100)];
            expected[`${metric}.max gauge`] = sorted[sorted.length - 1];
          }
        }
        expect(flush()).toEqual(expected);
      }
    }),
  );
});
