import { expect, test } from '@jest/globals';
import { ManualClock } from '@tidemark/simulation';
import { StartProgress } from './start-progress.ts';

test('a start that takes long is reported after 5 s and then every 10 s, with its step', () => {
  const clock = new ManualClock(1_000_000);
  const lines: string[] = [];
  const info = (message: string, detail?: Readonly<Record<string, unknown>>) => {
    lines.push(`${message} ${JSON.stringify(detail)}`);
  };
  const progress = new StartProgress(clock, { info }, 'opening the log');
  clock.advance(4999);
  expect(lines).toEqual([]);
  clock.advance(1);
  let open = 3;
  progress.next(() => `opening databases: ${open} of 8 are open`);
  clock.advance(10_000);
  open = 7;
  clock.advance(10_000);
  progress.stop();
  clock.advance(60_000);
  expect(lines).toEqual([
    'still starting: opening the log {"seconds":5}',
    'still starting: opening databases: 3 of 8 are open {"seconds":15}',
    'still starting: opening databases: 7 of 8 are open {"seconds":25}',
  ]);
});
