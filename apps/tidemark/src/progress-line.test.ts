import { expect, test } from '@jest/globals';
import { ProgressLine } from './progress-line.ts';

const MIB = 1024 * 1024;

function lineOn(out: { readonly isTTY?: boolean; readonly columns?: number }) {
  const written: string[] = [];
  const clock = { nowMs: 0 };
  const write = (text: string) => written.push(text.replaceAll('\r\u001b[K', '<'));
  return { written, clock, line: new ProgressLine({ ...out, write }, () => clock.nowMs) };
}

test('a terminal shows percent, bytes and rate, at most five times a second', () => {
  const { written, clock, line } = lineOn({ isTTY: true, columns: 0 });
  line.show('points/0', 0, 0);
  line.show('points/0', 0, 100 * MIB);
  clock.nowMs = 199;
  line.show('points/0', 10 * MIB, 100 * MIB);
  clock.nowMs = 200;
  line.show('points/0', 20 * MIB, 100 * MIB);
  clock.nowMs = 2000;
  line.show('points/0', 80 * MIB, 100 * MIB);
  clock.nowMs = 3000;
  line.show('tags/0', 1024, 4096);
  line.clear();
  line.clear();
  expect(written).toEqual([
    '<points/0  nothing sent yet',
    '<points/0   20%  20.0 MiB of 100 MiB',
    '<points/0   80%  80.0 MiB of 100 MiB  40.0 MiB/s',
    '<tags/0   25%  1.0 KiB of 4.0 KiB',
    '<',
  ]);
});

test('the rate of work that begins again is not that of the work before, which has the same name', () => {
  const { written, clock, line } = lineOn({ isTTY: true });
  line.show('points/0', 90 * MIB, 100 * MIB);
  clock.nowMs = 5000;
  line.show('points/0', 0, 0);
  clock.nowMs = 6000;
  line.show('points/0', 0, 100 * MIB);
  clock.nowMs = 8000;
  line.show('points/0', 20 * MIB, 100 * MIB);
  expect(written.slice(1)).toEqual([
    '<points/0  nothing sent yet',
    '<points/0    0%  0 B of 100 MiB',
    '<points/0   20%  20.0 MiB of 100 MiB  10.0 MiB/s',
  ]);
});

test('a line does not wrap, and received text does not control the terminal', () => {
  const { written, line } = lineOn({ isTTY: true, columns: 15 });
  line.show('a\u001b[2J', 1, 2);
  expect(written).toHaveLength(1);
  expect(written[0]).toHaveLength(1 + 14);
  expect(written[0]).not.toContain('\u001b');
});

test('nothing is written elsewhere than on a terminal', () => {
  const { written, line } = lineOn({});
  line.show('points/0', 1, 2);
  line.clear();
  expect(written).toEqual([]);
});
