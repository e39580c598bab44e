import { expect, test } from '@jest/globals';
import { LogTrimmer } from './log-trimmer.ts';

test('a log is trimmed below each commit once, and not if it ends before the commit', async () => {
  const trimmed: number[] = [];
  const trimmer = new LogTrimmer({
    bounds: async () => ({ first: 0, next: 10 }),
    trim: async (_topic, _partition, before) => void trimmed.push(before),
  });
  await trimmer.committed('points', 0, 4);
  await trimmer.committed('points', 0, 4);
  await trimmer.committed('points', 0, 10);
  expect(trimmed).toEqual([4, 10]);
  await expect(trimmer.committed('points', 0, 11)).rejects.toThrow(
    'points/0 is not trimmed: its store has committed 11',
  );
  expect(trimmed).toEqual([4, 10]);
});
