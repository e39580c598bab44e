import { expect, test } from '@jest/globals';
import { yieldTurn } from '@tidemark/node-runtime';
import { TidemarkError } from '@tidemark/ports';
import { RequestTurns } from './request-turns.ts';

/** Requests whose answers end when `end` is called, and which of them have been begun. */
function requests() {
  const turns = new RequestTurns(yieldTurn);
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const ask = (tenant: string, name: string, signal = new AbortController().signal, method = 'read'): Promise<string> =>
    turns.run(tenant, method, signal, () => {
      begun.push(name);
      return new Promise((resolve) => ends.push(() => resolve(name)));
    });
  const settled = async () => {
    for (let i = 0; i < 20; i++) await yieldTurn();
  };
  return { turns, begun, ask, settled, end: () => ends.shift()?.() };
}

test('requests of a tenant wait for one another, and not for those of others', async () => {
  const { turns, begun, ask, settled, end } = requests();
  const greedy = Array.from({ length: 10 }, (_, i) => ask('greedy', `g${i}`));
  const modest = ask('modest', 'm');
  const short = ask('greedy', 's', undefined, 'short');
  await settled();
  expect(begun).toEqual(['g0', 'm', 'g1', 's']);
  while (begun.length < 12) {
    end();
    await settled();
  }
  for (let i = 0; i < 12; i++) end();
  expect(await Promise.all([...greedy, modest, short])).toEqual([
    ...Array.from({ length: 10 }, (_, i) => `g${i}`),
    'm',
    's',
  ]);
  expect(turns.size).toBe(0);
});

test('a request that is cancelled while it waits ends at once, and is not begun', async () => {
  const { turns, begun, ask, settled, end } = requests();
  const gone = new TidemarkError('cancelled', 'the caller has gone');
  const abort = new AbortController();
  const first = Array.from({ length: 2 }, (_, i) => ask('acme', `f${i}`));
  const cancelled = Array.from({ length: 5 }, (_, i) => ask('acme', `c${i}`, abort.signal));
  const other = ask('other', 'o', abort.signal);
  const last = ask('acme', 'last');
  abort.abort(gone);
  const refused = Promise.allSettled([...cancelled, other]);
  // While those before them are still being answered.
  for (const result of await refused) expect(result).toEqual({ status: 'rejected', reason: gone });
  await settled();
  for (let i = 0; i < 2; i++) end();
  await settled();
  end();
  expect(await Promise.all([...first, last])).toEqual(['f0', 'f1', 'last']);
  expect(begun).toEqual(['f0', 'f1', 'last']);
  expect(turns.size).toBe(0);
});
