import { expect, test } from '@jest/globals';
import type { Frame } from '@tidemark/fold';
import { KIND } from '@tidemark/model';
import { finishAtOnce } from '@tidemark/ports';
import fc from 'fast-check';
import { evaluate, type FrameMemory, frameBytes, parseQuery } from './index.ts';

const SERIES = 5;
const STEPS = 100;
const ONE = frameBytes(SERIES, STEPS);

function leafFrame(): Frame {
  const series = Array.from({ length: SERIES }, (_, i) => ({
    tags: [`h:${i}`],
    metric: 'm',
    kind: KIND.count,
    values: Float64Array.from({ length: STEPS }, (_, step) => i + step),
  }));
  return { fromMs: 0, stepMs: 1000, steps: STEPS, series };
}

class Counted implements FrameMemory {
  taken = 0;
  peak = 0;

  take(bytes: number): void {
    this.taken += bytes;
    this.peak = Math.max(this.peak, this.taken);
  }

  release(bytes: number): void {
    this.taken -= bytes;
    expect(this.taken).toBeGreaterThanOrEqual(0);
  }
}

function evaluated(text: string): Counted {
  const memory = new Counted();
  const leaf = leafFrame();
  finishAtOnce(evaluate(parseQuery(text), () => leaf, undefined, memory));
  return memory;
}

test('a chain of functions has two frames at once, however long it is, and keeps its result', () => {
  const { taken, peak } = evaluated(`${'abs('.repeat(8)}sum:m{*} by {h}.rollup(1)${')'.repeat(8)}`);
  expect(taken).toBe(ONE);
  expect(peak).toBe(2 * ONE);
});

test('what shares its columns with a leaf takes nothing, and one series only what it is', () => {
  expect(evaluated('sum:m{*} by {h}.rollup(1)').peak).toBe(0);
  expect(evaluated("top(sum:m{*} by {h}.rollup(1), 2, 'mean', 'desc')").taken).toBe(0);
  expect(evaluated('count_not_null(sum:m{*} by {h}.rollup(1))').taken).toBe(frameBytes(1, STEPS));
});

test('each expression of a query keeps its frame', () => {
  expect(evaluated(Array(90).fill('default_zero(sum:m{*} by {h}.rollup(1))').join()).taken).toBe(90 * ONE);
});

test('for any expression, memory is taken before it is used and given back when it is not', () => {
  const leaf = fc.constant('sum:m{*} by {h}.rollup(1)');
  const { expression } = fc.letrec<{ expression: string }>((tie) => ({
    expression: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      leaf,
      fc.tuple(fc.constantFrom('abs', 'diff', 'cumsum', '-'), tie('expression')).map(([f, e]) => `${f}(${e})`),
      fc.tuple(tie('expression'), fc.constantFrom('+', '*'), tie('expression')).map(([a, o, b]) => `(${a} ${o} ${b})`),
      tie('expression').map((e) => `top(${e}, 2, 'mean', 'desc')`),
    ),
  }));
  fc.assert(
    fc.property(expression, (text) => {
      const { taken, peak } = evaluated(text);
      expect(taken).toBeLessThanOrEqual(ONE);
      const makesFrames = /abs|diff|cumsum|-\(|[+*] /.test(text);
      if (makesFrames) expect(peak).toBeGreaterThanOrEqual(ONE);
      else expect(peak).toBeLessThanOrEqual(ONE);
    }),
  );
});
