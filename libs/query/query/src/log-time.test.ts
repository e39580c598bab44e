import { expect, test } from '@jest/globals';
import { type KnownEras, LogTime } from './log-time.ts';

const eras: KnownEras = {
  list: [],
  boundMs: (era) => (era > 20 ? undefined : era === 20 ? Number.POSITIVE_INFINITY : 50_000),
};

test('a watermark of an era that ended is bounded, one ahead of the clock is worth no more than now, and one of an unknown era, or far ahead, nothing', () => {
  const time = new LogTime(eras, 60_000);
  expect(time.trusted(3_660_000, -1)).toEqual({ watermarkMs: 50_000 });
  expect(time.trusted(55_000, 20)).toEqual({ watermarkMs: 55_000 });
  expect(time.trusted(70_000, 20)).toEqual({ watermarkMs: 60_000 });
  expect(time.trusted(3_660_000, 20).problem).toMatch(/3600 s ahead of this process's clock/);
  expect(time.trusted(55_000, 21).problem).toMatch(/has not read the decision/);
  expect(time.trusted(undefined, 21)).toEqual({});
  expect(new LogTime(undefined, 60_000).trusted(55_000, 7)).toEqual({ watermarkMs: 55_000 });
});

test('a watermark that a store reports long after the moment is not ahead of the clock', () => {
  let clockMs = 1_000_000;
  const logTime = new LogTime(undefined, clockMs, () => clockMs);
  clockMs += 25_000;
  expect(logTime.trusted(clockMs, -1)).toEqual({ watermarkMs: 1_000_000 });
  expect(logTime.trusted(clockMs + 60_000, -1).problem).toBe(
    "completeness is unknown: the watermark is 60 s ahead of this process's clock",
  );
});
