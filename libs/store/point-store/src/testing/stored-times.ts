import { recordNumbersOf } from '@tidemark/page';
import type { MemoryKeyValue } from '@tidemark/simulation';
import { bucketOfKey, dealOfKey, numberOfTimesKey, PREFIX } from '../keys.ts';

/** The times records that a store has, and those that its pages need: bucket, deal and number of each. */
export function storedTimes({ content }: MemoryKeyValue): { there: string[]; needed: string[] } {
  const there: string[] = [];
  const needed = new Set<string>();
  for (const [hex, value] of content) {
    const key = Buffer.from(hex, 'hex');
    if (key[0] === PREFIX.times) there.push(`${bucketOfKey(key)}/${dealOfKey(key)}/${numberOfTimesKey(key)}`);
    if (key[0] !== PREFIX.page) continue;
    for (const number of recordNumbersOf(value)) needed.add(`${bucketOfKey(key)}/${dealOfKey(key)}/${number}`);
  }
  return { there: there.sort(), needed: [...needed].sort() };
}
