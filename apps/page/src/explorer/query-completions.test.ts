import { describe, expect, test } from '@jest/globals';
import { parseQuery } from '@tidemark/query-language';
import { caretPlace } from '@tidemark/query-language/completion';
import { completionsAt } from './query-completions.ts';

const METRICS = [
  { metric: 'web.load', classes: ['reading'], kinds: ['gauge'], series: 2 },
  { metric: 'web.hits', classes: ['count'], kinds: ['count'], series: 3 },
  { metric: 'odd name', classes: ['distribution'], kinds: ['distribution'], series: 1 },
];
const KEYS = [
  { key: 'host', values: 2, series: 2, top: ['a', 'b c'].map((value) => ({ value, series: 1 })) },
  { key: 'env', values: 1, series: 2, top: [{ value: 'prod', series: 2 }] },
];

/** The text after the first suggestion, or the one of that name, is accepted at the `|`; what is then selected is in `[]`. */
function accept(marked: string, value?: string): string {
  const caret = marked.indexOf('|');
  const text = marked.replace('|', '');
  const place = caretPlace(text, caret);
  const found = place === undefined ? [] : completionsAt(text, caret, place, { metrics: METRICS, keys: KEYS });
  const one = value === undefined ? found[0] : found.find((option) => option.value === value);
  if (one === undefined) return 'nothing';
  const [from, to] = one.select;
  const inserted = one.goesOn
    ? `${one.text.slice(0, from)}[${one.text.slice(from, to)}]${one.text.slice(to)}`
    : one.text;
  return text.slice(0, one.from) + inserted + text.slice(one.to);
}

describe('a suggestion', () => {
  test.each([
    ['avg:lo|', 'avg:web.load{[*]}'],
    ['avg:lo|{env:prod}', 'avg:web.load{env:prod}'],
    ['odd|', 'p95:"odd name"{[*]}'],
    ['hits|', 'sum:web.hits{[*]}.as_rate()'],
    ['hi|{*}', 'web.hits{*}'],
    ['p95|', 'p95:[]'],
    ['avg:web.load{*|}', 'avg:web.load{host:[]}'],
    ['avg:web.load{en|}', 'avg:web.load{env:[]}'],
    ['avg:web.load{e|nv:prod} by {host}', 'avg:web.load{env:[]prod} by {host}'],
    ['avg:web.load{env:|}', 'avg:web.load{env:prod}'],
    ['avg:web.load{host:c|}', 'avg:web.load{"host:b c"}'],
    ['avg:web.load{host IN (a, |)}', 'avg:web.load{host IN (a, a)}'],
    ['avg:web.load{*} |', 'avg:web.load{*} by {[]}'],
    ['avg:web.load{*} by {h|}', 'avg:web.load{*} by {host}'],
    ['avg:web.load{*}.ro|', 'avg:web.load{*}.rollup([])'],
    ['avg:web.load{*}.rate|', 'avg:web.load{*}.as_rate()'],
    ['avg:web.load{*}.rollup(poi|)', 'avg:web.load{*}.rollup(points)'],
    ["top(avg:web.load{*}, 5, 'l2|')", "top(avg:web.load{*}, 5, 'l2norm')"],
    ['clamp_ma|', 'clamp_max([], 100)'],
    ['top5_ma|', 'top5_max([])'],
  ])('at %s makes %s', (marked, expected) => expect(accept(marked)).toBe(expected));

  test.each(['avg:web.load{*}|', 'avg:zz|', 'avg:web.load{*} bye |'])('is none at %s', (marked) => {
    expect(accept(marked)).toBe('nothing');
  });

  test('of a query is one that parses', () => {
    for (const { metric } of METRICS) parseQuery(accept('|', metric).replace(/[[\]]/g, ''));
  });
});
