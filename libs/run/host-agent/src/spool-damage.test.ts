import { expect, test } from '@jest/globals';
import { SpoolDamage } from './spool-damage.ts';

function damage() {
  const said: string[] = [];
  return { said, found: new SpoolDamage('/data/agent/spool', (message) => said.push(message)) };
}

const NONE = { spoolBadBytes: 0, droppedPoints: 0, indeterminatePoints: 0, reasons: {} };

test('a whole spool is not mentioned, and points that are dropped for another reason are not damage', () => {
  const { said, found } = damage();
  found.opened({ ...NONE, droppedPoints: 5, reasons: { spool_bound: 5 } });
  found.rejected({ reason: 'spool_bound', points: 5 });
  expect([said, found.refusals]).toEqual([[], []]);
});

test.each([
  ['bad bytes that had no point', { ...NONE, spoolBadBytes: 76_290 }, "76290 bytes can't be read, 0 points dropped"],
  ['points whose bytes are gone', { ...NONE, droppedPoints: 783, reasons: { spool_damaged: 783 } }, '0 bytes'],
])('%s are in the log and in the report to intakes, with the folder', (_, counts, part) => {
  const { said, found } = damage();
  found.opened(counts);
  expect(said).toEqual([expect.stringMatching(/^the spool is damaged: .*\/data\/agent\/spool\. Check its disk/)]);
  expect(said[0]).toContain(part);
  expect(found.refusals).toEqual([
    { reason: 'spool_folder_damaged', count: 1, example: expect.stringContaining('in /data/agent/spool') },
  ]);
});

test('of records that cannot be read before they are sent the first is in the log', () => {
  const { said, found } = damage();
  for (const points of [5, 6, 7]) found.rejected({ reason: 'spool_unreadable', points });
  expect(said).toEqual([expect.stringContaining('a batch of 5 points')]);
});
