import { describe, expect, test } from '@jest/globals';
import { evenMap, KIND } from '@tidemark/model';
import { TidemarkError } from '@tidemark/ports';
import { type ModelPoint, ModelStores } from '@tidemark/replicas/testing';
import { asAnswered } from './query-reader.ts';
import { QueryService } from './query-service.ts';
import { testClock } from './testing/test-clock.ts';

const FROM_MS = 1_700_000_000_000;
const TO_MS = FROM_MS + 60_000;

function setUp() {
  const point = (metric: string, tags: string[], timeMs = FROM_MS): ModelPoint => ({
    ...{ partition: 0, tenant: 'default', kind: KIND.gauge, value: 1, metric, tags, timeMs },
  });
  const stores = new ModelStores();
  stores.points = [
    point('web.requests.hits', ['env:prod', 'host:web-1']),
    point('web.requests.hits', ['env:dev', 'host:web-2']),
    point('web.requests.errors', ['env:prod']),
    point('old.metric', ['env:prod'], FROM_MS - 30 * 86_400_000),
    point('early.metric', ['env:prod'], FROM_MS - 7_200_000),
    point('bare.metric', []),
    { ...point('huge.metric', ['host:a']), value: 1.7e308 },
    { ...point('huge.metric', ['host:b']), value: 1.7e308 },
  ];
  stores.watermarksMs.set(0, TO_MS);
  const service = new QueryService({ stores, maps: () => [evenMap(1)], latenessMs: () => 0, clock: testClock() });
  const notes = async (query: string) =>
    (await service.run('default', { query: `${query}.rollup(60)`, fromMs: FROM_MS, toMs: TO_MS }, asAnswered)).notes;
  return { stores, service, notes };
}

describe('a query that finds nothing', () => {
  test.each([
    ['avg:web.requests.hitz{*}', 'no metric web.requests.hitz in this range; did you mean web.requests.hits?'],
    ['avg:web.reqests.hits{*}', 'no metric web.reqests.hits in this range; did you mean web.requests.hits?'],
    ['avg:Web.Requests.Hits{*}', 'no metric Web.Requests.Hits in this range'],
    ['avg:nothing.like.it{*}', 'no metric nothing.like.it in this range'],
    ['avg:old.metric{*}', 'old.metric has no points in this range; its newest are of 2023-10-15 (UTC)'],
    ['avg:web.requests.hits{evn:prod}', 'web.requests.hits has no tag key evn; did you mean env?'],
    ['avg:web.requests.hits{env:prud}', 'web.requests.hits has no tag env:prud; did you mean env:prod?'],
    ['avg:web.requests.hits{env:PROD}', 'web.requests.hits has no tag env:PROD; did you mean env:prod?'],
    ['avg:web.requests.hits{env IN (pro, x)}', 'web.requests.hits has no tag env:pro; did you mean env:prod?'],
    ['avg:web.requests.hits{region:us*}', 'web.requests.hits has no tag key region'],
    [
      'avg:early.metric{env:prod}',
      'early.metric has series that match {env:prod}, and no points in this range as far as it is complete: that is not a value of 0',
    ],
    ['avg:bare.metric{env:prod}', 'no series of bare.metric matches {env:prod}'],
    ['avg:web.requests.hits{env:dev,host:web-1}', 'no series of web.requests.hits matches {env:dev,host:web-1}'],
  ])('%s: %s', async (query, note) => {
    expect(await setUp().notes(query)).toContain(note);
  });

  test('an expression without a result says so, although its metrics have values', async () => {
    const { notes } = setUp();
    const [query] = ['avg:web.requests.hits{env:prod} by {env} / avg:web.requests.hits{env:dev} by {env}'];
    const { service } = setUp();
    const range = { fromMs: FROM_MS, toMs: TO_MS };
    const answer = await service.run('default', { query, ...range }, asAnswered);
    expect(answer.series).toEqual([]);
    expect(answer.notes).toContainEqual(
      expect.stringMatching(
        /has no value in this range, although its metrics have: its functions or arithmetic leave none/,
      ),
    );
    expect(await notes('avg:web.requests.hits{*}')).toEqual([]);
  });

  test('infinite values are named and counted, because JSON has null there', async () => {
    const { notes } = setUp();
    expect(await notes('sum:huge.metric{*}')).toEqual([
      expect.stringMatching(/^sum:huge\.metric\{\*\}\S*: 1 value is infinite .* JSON has null there/),
    ]);
    expect(await notes('max:huge.metric{*}')).toEqual([]);
  });

  test('a grouping by a key that no series has is named, and gives its answer', async () => {
    const { notes } = setUp();
    expect(await notes('sum:web.requests.hits{*} by {hots}')).toEqual([
      'web.requests.hits has no tag key hots; did you mean host?',
    ]);
    expect(await notes('sum:web.requests.hits{*} by {host}')).toEqual([]);
  });

  test.each([
    ['avg:web.requests.hitz{*}', 'web.requests.hitz that match {*}'],
    ['avg:old.metric{*}', 'old.metric that match {*}'],
    ['avg:web.requests.hits{evn:prod}', 'web.requests.hits that match {evn:prod}'],
    ['avg:bare.metric{env:prod}', 'bare.metric that match {env:prod}'],
  ])('%s: what was not found may exist where records of tags are missing', async (query, found) => {
    const { stores, notes } = setUp();
    stores.gaps.set('tags/0', [{ offset: 7, reason: 'halted, later records are not read: wrong checksum' }]);
    expect(await notes(query)).toEqual([
      `no series of ${found} are known in this range, but they may exist: records of tags/0 are missing or not read (see gaps)`,
    ]);
    stores.gaps.clear();
    stores.gaps.set('points/0', [{ offset: 7, reason: 'bit rot' }]);
    expect(await notes(query)).not.toContainEqual(expect.stringContaining('they may exist'));
  });

  test('a grouping by a key that no series has is not named where records of tags are missing', async () => {
    const { stores, notes } = setUp();
    stores.gaps.set('tags/0', [{ offset: 7, reason: 'bit rot' }]);
    expect(await notes('sum:web.requests.hits{*} by {hots}')).toEqual([]);
  });

  test('stores that do not answer what is looked for cost no answer', async () => {
    const { stores, notes } = setUp();
    let asked = 0;
    stores.before = (part) => {
      if (part === 'tags/0' && ++asked > 1) throw new TidemarkError('unavailable', 'down');
    };
    expect(await notes('avg:web.requests.hitz{*}')).toEqual(['no metric web.requests.hitz in this range']);
  });
});
