import { expect, test } from '@jest/globals';
import { changedStatement, KIND, kindOfSeries, meaningOf, mergeMetadata, SERIES_CLASS, shownKind } from './index.ts';

test('of each field the user stands, then the protocol, then what is implied, then what the name suggests', () => {
  const metadata = { user: { unit: 'byte' }, protocol: { unit: 'bit', description: 'd', kind: KIND.gauge } };
  expect(meaningOf('hits_total', metadata)).toEqual({
    kind: { value: KIND.gauge, source: 'protocol' },
    unit: { value: 'byte', source: 'user' },
    description: { value: 'd', source: 'protocol' },
    intervalMs: undefined,
    statedKinds: [{ value: KIND.gauge, source: 'protocol' }],
  });
  const implied = { kind: KIND.gauge };
  expect(meaningOf('hits', { implied, protocol: { kind: KIND.counter } }).kind).toMatchObject({ source: 'protocol' });
  expect(meaningOf('hits_total', { implied }).kind).toEqual({ value: KIND.gauge, source: 'implied' });
  expect(meaningOf('hits_total', {}).kind).toEqual({ value: KIND.counter, source: 'name' });
  expect(meaningOf('load', {}).kind).toEqual({ value: KIND.gauge, source: 'name' });
});

test('only a statement makes readings a counter or a gauge, and never a count', () => {
  const { reading, count } = SERIES_CLASS;
  const counter = meaningOf('load', { user: { kind: KIND.counter } });
  expect(kindOfSeries(reading, counter)).toBe(KIND.counter);
  expect(kindOfSeries(count, counter)).toBe(KIND.count);
  expect(kindOfSeries(reading, meaningOf('hits_total', {}))).toBe(KIND.reading);
  expect(kindOfSeries(reading, meaningOf('load', { user: { kind: KIND.rate } }))).toBe(KIND.reading);
});

test('the kind that is shown is one of the class of the series', () => {
  const { reading, count, distribution } = SERIES_CLASS;
  const nothing = meaningOf('hits_total', {});
  expect(shownKind('hits_total', reading, nothing)).toEqual({ value: KIND.counter, source: 'name' });
  expect(shownKind('hits_total', distribution, nothing)).toEqual({ value: KIND.distribution, source: 'protocol' });
  const rate = meaningOf('hits_total', { user: { kind: KIND.rate } });
  expect(shownKind('hits_total', count, rate)).toEqual({ value: KIND.rate, source: 'user' });
  expect(shownKind('hits_total', reading, rate)).toEqual({ value: KIND.counter, source: 'name' });
  const gauge = meaningOf('hits_total', { protocol: { kind: KIND.gauge } });
  expect(shownKind('hits_total', reading, gauge)).toEqual({ value: KIND.gauge, source: 'protocol' });
  expect(shownKind('hits_total', count, gauge)).toEqual({ value: KIND.count, source: 'protocol' });
});

test('a kind of another class does not hide what weaker sources state of a series', () => {
  const { reading, count } = SERIES_CLASS;
  const meaning = meaningOf('load', { user: { kind: KIND.count }, protocol: { kind: KIND.counter } });
  expect(kindOfSeries(reading, meaning)).toBe(KIND.counter);
  expect(shownKind('load', reading, meaning)).toEqual({ value: KIND.counter, source: 'protocol' });
  expect(shownKind('load', count, meaning)).toEqual({ value: KIND.count, source: 'user' });
});

test('a change replaces the fields that it has, and null takes one back', () => {
  const before = { unit: 'byte', description: 'd' };
  expect(changedStatement(before, { unit: null, kind: KIND.gauge })).toEqual({ description: 'd', kind: KIND.gauge });
});

test('of several partitions the first one that states a field stands', () => {
  const merged = mergeMetadata([
    { user: { unit: 'a' } },
    { user: { unit: 'b', intervalMs: 5 }, protocol: { unit: 'c' }, implied: { kind: KIND.rate } },
  ]);
  const { rate } = KIND;
  expect(merged).toEqual({ user: { unit: 'a', intervalMs: 5 }, protocol: { unit: 'c' }, implied: { kind: rate } });
});
