import { expect, test } from '@jest/globals';
import { examine } from './examine.ts';
import type { Observations } from './observations.ts';

function seen(...refused: readonly { readonly client: string; readonly reason: string; readonly count: number }[]) {
  const session = { session: 'ab', process: 'intake', state: 'open', renewedMs: 1 };
  const views = refused.map((one) => ({ stage: 'client', example: `example of ${one.reason}`, ...one }));
  const sessions = [{ ...session, refused: views }];
  const pipeline = { points: [], tags: [], sessions, latenessMs: 1, nowMs: 1, errors: [] };
  const observations: Observations = {
    nowMs: 1,
    processes: [],
    pipeline,
    pipelineProblem: undefined,
    kafka: undefined,
  };
  return examine(observations).findings;
}

test('a damaged spool is named with its folder and counts, and is not data that a sender got wrong', () => {
  const findings = seen(
    { client: 'agent web-1', reason: 'spool_damaged', count: 783 },
    { client: 'agent web-1', reason: 'spool_folder_damaged', count: 1 },
    { client: 'shop', reason: 'spool_damaged', count: 1200 },
    { client: 'shop', reason: 'spool_unreadable', count: 7 },
  );
  expect(findings).toMatchObject([
    {
      kind: 'spool-damaged',
      severity: 'note',
      what:
        'a spool was damaged: agent web-1: example of spool_folder_damaged; ' +
        'shop: 1,200 points dropped or indeterminate, 7 points could not be read before they were sent',
      next: expect.stringMatching(/^check the disk of that folder/),
    },
  ]);
});

test('another reason of a client is not damage', () => {
  expect(seen({ client: 'shop', reason: 'value_nan', count: 1 })).toMatchObject([{ kind: 'data-refused' }]);
  expect(seen({ client: 'shop', reason: 'spool_damaged', count: 0 })).toEqual([]);
});
