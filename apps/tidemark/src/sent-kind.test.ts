import { expect, test } from '@jest/globals';
import { KIND, type Kind, SERIES_CLASS, type SeriesClass } from '@tidemark/model';
import { type KnownKind, kindToSend, warningOf } from './sent-kind.ts';

function known(metric: string, classes: readonly SeriesClass[], kind?: Kind): KnownKind {
  const metadata = { user: undefined, protocol: kind === undefined ? undefined : { kind }, implied: undefined };
  return { description: { metric, classes: [...classes], series: classes.length, lastDayMs: 0, metadata } };
}

const { reading, count, distribution } = SERIES_CLASS;

test('a point without a kind is of the kind that its metric is known to have', () => {
  expect(kindToSend(undefined, {})).toBe('gauge');
  expect(kindToSend(undefined, known('hits', [reading], KIND.counter))).toBe('counter');
  expect(kindToSend(undefined, known('hits_total', [reading], KIND.gauge))).toBe('gauge');
  expect(kindToSend(undefined, known('hits', [count], KIND.rate))).toBe('count');
  expect(kindToSend(undefined, known('hits', [distribution]))).toBe('distribution');
  expect(kindToSend(undefined, known('later', [], KIND.counter))).toBe('counter');
  expect(kindToSend('gauge', known('hits', [reading], KIND.counter))).toBe('gauge');
});

test('a point of readings whose kind is only guessed states nothing', () => {
  expect(kindToSend(undefined, known('hits_total', [reading]))).toBe('reading');
  expect(kindToSend(undefined, known('load', [reading]))).toBe('reading');
});

test('a kind that contradicts what is known has a warning', () => {
  const counter = known('hits', [reading], KIND.counter);
  expect(warningOf('hits', 'counter', counter)).toBeUndefined();
  expect(warningOf('hits', undefined, counter)).toBeUndefined();
  expect(warningOf('hits', 'gauge', known('hits_total', [reading]))).toBeUndefined();
  expect(warningOf('hits', 'gauge', {})).toBeUndefined();
  expect(warningOf('hits', 'gauge', counter)).toMatch(/known as counter, .* sent as gauge/);
  expect(warningOf('hits', 'gauge', known('hits', [count]))).toMatch(/known as count, .* sent as gauge/);
});

test('a kind that could not be looked up is named with the reason', () => {
  const problem = 'the key does not permit read';
  expect(warningOf('hits', undefined, { problem })).toMatch(/could not be looked up \(the key does not permit read\)/);
  expect(warningOf('hits', 'count', { problem })).toBeUndefined();
});
