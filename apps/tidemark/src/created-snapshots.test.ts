import { expect, test } from '@jest/globals';
import { type CreatedSnapshot, createdTable, failedText } from './created-snapshots.ts';

const MADE: CreatedSnapshot = {
  ...{ of: 'points/0', process: 'a:1', id: '7-ab', offset: 7, made: '2026-01-01T00:00:00.000Z' },
  ...{ uploadedBytes: 1536, reusedBytes: 0 },
};

test('each snapshot is a row, with its process where there are several', () => {
  expect(createdTable([MADE])).toMatch(/points\/0 │ 7-ab +│ 7 +│ 2026-01-01T00:00:00\.000Z │ 1\.5 KiB │ 0 B +│$/m);
  expect(createdTable([MADE])).not.toContain('a:1');
  const cluster = createdTable([MADE, { ...MADE, process: 'b:1' }]);
  expect(cluster).toMatch(/reused │ process │/);
  expect(cluster.match(/[ab]:1/g)).toEqual(['a:1', 'b:1']);
});

test('a failure names its store, or the process', () => {
  const failed = { process: 'a:1', code: 'unavailable', reason: 'no answer' };
  expect(failedText(failed)).toBe('a:1: no answer');
  expect(failedText({ code: 'not_found', reason: 'no process has it' })).toBe('no process has it');
  expect(failedText({ of: 'tags/3', ...failed })).toBe('no snapshot of tags/3 was made at a:1: no answer');
});
