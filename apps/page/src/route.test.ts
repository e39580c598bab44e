import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DRAWINGS, SCALES } from './chart/chart-style.ts';
import { parseRoute, printRoute, type Route, TOP_CHOICES } from './route.ts';
import { betweenRange, boundsOf, parseRange, refreshMs, type TimeRange } from './time-range.ts';

const range: fc.Arbitrary<TimeRange> = fc.oneof(
  fc.record({ type: fc.constant('last' as const), seconds: fc.integer({ min: 1, max: 366 * 86_400 }) }),
  fc
    .tuple(fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: 5_000, max: 1e9 }))
    .map(([fromMs, lengthMs]) => ({ type: 'between' as const, fromMs, toMs: fromMs + lengthMs })),
);
const text = fc.string({ unit: 'grapheme', maxLength: 60 });
const route: fc.Arbitrary<Route> = fc.oneof(
  fc.record({ view: fc.constant('dashboard' as const), range, host: text }),
  fc.record({
    view: fc.constant('explore' as const),
    range,
    query: text,
    top: fc.constantFrom(...TOP_CHOICES),
    style: fc.record({ drawing: fc.constantFrom(...DRAWINGS), scale: fc.constantFrom(...SCALES) }),
  }),
  fc.constant({ view: 'status' as const }),
);

describe('addresses', () => {
  test('an address has the whole state of the page', () => {
    fc.assert(fc.property(route, (shown) => expect(parseRoute(printRoute(shown))).toEqual(shown)));
  });

  test('any text in the address bar gives a valid page', () => {
    fc.assert(
      fc.property(fc.string(), (fragment) => {
        expect(['dashboard', 'explore', 'status']).toContain(parseRoute(`#/explore?${fragment}`).view);
        parseRoute(fragment);
      }),
    );
    expect(parseRoute('')).toEqual({ view: 'dashboard', range: { type: 'last', seconds: 300 }, host: '' });
    expect(parseRoute('#/explore?top=7&range=never')).toEqual(parseRoute('#/explore'));
  });
});

describe('ranges', () => {
  test('a reversed, too short or malformed range is refused', () => {
    expect(betweenRange(10_000, 9_000)).toBeUndefined();
    expect(betweenRange(10_000, 10_100)).toBeUndefined();
    expect(betweenRange(Number.NaN, 10_100)).toBeUndefined();
    expect([parseRange('0s'), parseRange('5 m'), parseRange('9-1')]).toEqual([undefined, undefined, undefined]);
  });

  test('a live range ends now and is polled; a fixed range is not', () => {
    expect(boundsOf({ type: 'last', seconds: 60 }, 100_000)).toEqual({ fromMs: 40_000, toMs: 100_000 });
    expect(refreshMs({ type: 'last', seconds: 300 })).toBe(1_000);
    expect(refreshMs({ type: 'last', seconds: 86_400 })).toBe(10_000);
    expect(refreshMs({ type: 'between', fromMs: 0, toMs: 10_000 })).toBeUndefined();
  });
});
