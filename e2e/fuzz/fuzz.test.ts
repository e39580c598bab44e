import { expect, test } from '@jest/globals';
import * as contract from '@tidemark/contract';
import { SeededRandom } from '@tidemark/simulation';
import { protobufGrowth } from './growth.ts';
import { minimized } from './minimize.ts';
import { mutated, repeated } from './mutate.ts';
import { runTarget } from './run-target.ts';
import { holds, Violation } from './target.ts';
import { TARGETS } from './targets/index.ts';

const parsers = TARGETS.filter(({ isRemote }) => isRemote !== true);

test.each(parsers.map((target) => [target.name, target] as const))(
  'what must hold for %s holds for its seeds and its corpus',
  async (_, target) => {
    const { runs, findings } = await runTarget(target, { seed: 1, forMs: 0, isCostChecked: false });
    expect(findings).toEqual([]);
    expect(runs).toBeGreaterThan(0);
  },
);

test('a parser that fails for some input is found, and its input is made small', async () => {
  const run = (input: Buffer): void => holds(!input.includes('x9'), () => 'x9 is refused');
  const target = { name: 'a parser with a fault', seeds: () => [Buffer.from('abcx1defgh')], run };
  const { findings } = await runTarget(target, { seed: 5, forMs: 60_000, isCostChecked: false, maxFindings: 1 });
  expect(findings.map(({ message, input }) => [message, Buffer.from(input).toString()])).toEqual([
    ['Violation: x9 is refused', 'x9'],
  ]);
});

test('inputs are mutated also when the seeds and the corpus took all of the time', async () => {
  const seed = Buffer.from('a seed');
  const run = (input: Buffer): void => holds(input.equals(seed), () => 'it differs');
  const target = { name: 'a parser', seeds: () => [seed], run };
  const { mutations, findings } = await runTarget(target, {
    seed: 5,
    forMs: 1e-9,
    isCostChecked: false,
    maxFindings: 1,
  });
  expect(findings.map(({ message }) => message)).toEqual(['Violation: it differs']);
  expect(mutations).toBeGreaterThan(0);
});

test('equal seeds give equal mutations', () => {
  const inputs = (seed: number): string[] => {
    const pool = [Buffer.from('a first input'), Buffer.from('a second one')];
    const material = { random: new SeededRandom(seed), pool, tokens: [Buffer.from('token')], maxBytes: 50 };
    return Array.from({ length: 200 }, () => mutated(material).toString('hex'));
  };
  expect(inputs(3)).toEqual(inputs(3));
  expect(inputs(3)).not.toEqual(inputs(4));
  expect(inputs(3).every((hex) => hex.length <= 100)).toBe(true);
});

test('a part is repeated in its place', () => {
  expect(repeated(Buffer.from('a(b)c'), 1, 4, 12).toString()).toBe('a(b)(b)(b)(b)c');
});

test('a field of a message is repeated, and the lengths of the messages around it are those of their bytes', () => {
  const reading = contract.SendRequest;
  const shares = [{ partition: 5, points: Buffer.of(1, 2) }];
  const message = { $case: 'batch' as const, value: { sequence: 1, mapEpoch: 2, floor: 0, shares, stampedMs: 9 } };
  const input = Buffer.from(reading.encode(reading.fromPartial({ message })).finish());
  let most = 0;
  for (let seed = 0; seed < 40; seed++) {
    const grown = protobufGrowth(input, new SeededRandom(seed)).of(5000);
    const { message: read } = reading.decode(grown);
    if (read?.$case === 'batch') most = Math.max(most, read.value.shares.length);
  }
  expect(most).toBeGreaterThan(500);
});

test('only what a failure needs remains', async () => {
  const fails = async (input: Buffer): Promise<boolean> => input.includes('a') && input.includes('z');
  expect((await minimized(Buffer.from('xxaxxxxxzxx'), fails, 60_000)).toString()).toBe('az');
  expect(new Violation('why').message).toBe('why');
});
