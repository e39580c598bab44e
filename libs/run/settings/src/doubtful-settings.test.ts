import { expect, test } from '@jest/globals';
import { doubtfulSettings } from './doubtful-settings.ts';
import { parseSettings } from './parse-settings.ts';

const step = { 'store-commit-step-ms': '1000' };
const warningsOf = (flags: Record<string, string | true>) => doubtfulSettings(parseSettings({ flags }));

test('the defaults, and the recommended ends of ranges, have no warning', () => {
  expect(warningsOf({})).toEqual([]);
  expect(warningsOf({ ...step, 'store-bucket-ms': '60000', 'completeness-lateness-ms': '1250' })).toEqual([]);
  expect(warningsOf({ 'completeness-lateness-ms': '0', 'no-agent': true })).toEqual([]);
});

test.each([
  [{ ...step, 'store-bucket-ms': '1000' }, /^store\.bucketMs: 1000 \(recommended: 60000 to 86400000\): /],
  [{ 'lane-mark-ms': '10000' }, /^lane\.markMs: 10000 \(recommended: up to 1000\): /],
  [{ 'completeness-lateness-ms': '1000' }, /^completeness\.latenessMs: 1000 \(recommended: at least 1250, which is /],
])('a setting that is allowed and does harm has one warning, with the recommended range: %j', (flags, warning) => {
  expect(warningsOf(flags)).toEqual([expect.stringMatching(warning)]);
});
