import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import { expect, test } from '@jest/globals';
import { yieldTurn } from './yield-turn.ts';

test('yieldTurn resolves after work that was queued before it', async () => {
  const order: string[] = [];
  queueMicrotask(() => order.push('microtask'));
  setImmediate(() => order.push('immediate'));
  await yieldTurn();
  expect(order).toEqual(['microtask', 'immediate']);
});

test('messages arrive while work yields its turn', async () => {
  const { port1, port2 } = new MessageChannel();
  let arrived = false;
  const message = once(port2, 'message').then(() => {
    arrived = true;
  });
  port1.postMessage('query');
  for (let turns = 0; turns < 1000 && !arrived; turns++) await yieldTurn();
  expect(arrived).toBe(true);
  await message;
  port1.close();
});

test('those for whom work is done take turns, however much one of them has', async () => {
  const turns: string[] = [];
  const work = async (forWhom: string, name: string): Promise<void> => {
    for (let slice = 0; slice < 2; slice++) {
      await yieldTurn(forWhom);
      turns.push(name);
    }
  };
  await Promise.all([...['a', 'b', 'c', 'd'].map((name) => work('greedy', name)), work('', 'x'), work('modest', 'y')]);
  expect(turns.join('')).toBe('axybxycdabcd');
});

test('a round of the event loop has one turn, in the order in which callers wait', async () => {
  let rounds = 0;
  let isOver = false;
  const count = (): void => {
    rounds++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const turns: string[] = [];
  const work = async (name: string): Promise<void> => {
    for (let slice = 0; slice < 3; slice++) {
      await yieldTurn();
      turns.push(`${name} ${rounds}`);
    }
  };
  await Promise.all([work('a'), work('b'), work('c')]);
  isOver = true;
  expect(turns.map((turn) => turn.slice(0, 1)).join('')).toBe('abcabcabc');
  expect(new Set(turns.map((turn) => turn.slice(2))).size).toBe(9);
});
