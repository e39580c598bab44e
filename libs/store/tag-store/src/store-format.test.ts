import { expect, test } from '@jest/globals';
import { KIND, seriesName } from '@tidemark/model';
import { AssertionError, isTidemarkError } from '@tidemark/ports';
import { MemoryKeyValue } from '@tidemark/simulation';
import fc from 'fast-check';
import { TagPartition } from './index.ts';
import { openValue, sealValue } from './store-layout.ts';
import { recordOf } from './testing/facts.ts';

/** Keys and values of a store of version 1. */
const GOLDEN: Record<string, string> = {
  '00': '612745fc010302020203010001b1285aa9e89e923dd6489f7fb4983f09',
  '0100000000':
    '2b1edce1020461636d65036370750108656e763a70726f640106686f73743a61034e7e7feffa9314e3a22dfe4f2b39ac4f000102000102' +
    '0461636d65036d656d03276af2522c6673b57e9bec247df7c71a01020100',
  '020000000000004e20': 'ccc3e706010100000000000000',
  '020000000000004e21': 'ccc3e706010100000000000000',
  '020000000100004e21': 'bb5b4515010100000000000100',
  '0370f4d9bb8f43b162a453f321fc49af9200004e21': '00000000',
  '040000000000000001': '9b15a23c6120726561736f6e',
};

async function filledStore(): Promise<{ keyValue: MemoryKeyValue; partition: TagPartition }> {
  const keyValue = new MemoryKeyValue();
  const partition = await TagPartition.open({ keyValue });
  const first = seriesName('acme', 'cpu', KIND.gauge, ['env:prod', 'host:a']);
  const second = seriesName('acme', 'mem', KIND.count, ['env:prod']);
  const third = seriesName('other', 'cpu', KIND.counter, []);
  partition.apply(
    recordOf(0, [
      { name: first, day: 20_000, isNamed: true },
      { name: second, day: 20_001, isNamed: true },
      { name: third, day: 20_001, isNamed: false },
    ]),
  );
  partition.skip('a reason');
  partition.apply(recordOf(2, [{ name: first, day: 20_001, isNamed: false }]));
  await partition.commit();
  return { keyValue, partition };
}

test('a store of version 1 is written as the golden one, which opens', async () => {
  const { keyValue, partition } = await filledStore();
  const entries = [...keyValue.content].map(([key, value]) => [key, Buffer.from(value).toString('hex')]);
  expect(Object.fromEntries(entries.sort())).toEqual(GOLDEN);
  const stored = new MemoryKeyValue();
  for (const [key, value] of Object.entries(GOLDEN)) stored.content.set(key, Buffer.from(value, 'hex'));
  const opened = await TagPartition.open({ keyValue: stored });
  expect(opened.status()).toEqual(partition.status());
});

test('a store of a newer version is failed_precondition', async () => {
  const { keyValue } = await filledStore();
  keyValue.content.set('00', sealValue(Buffer.of(2)));
  await expect(TagPartition.open({ keyValue })).rejects.toThrow(/has format 2, this program reads 1/);
});

test('hostile entries with right checksums give data_loss or an answer, never another error', async () => {
  const { keyValue } = await filledStore();
  const keys = [...keyValue.content.keys()];
  const entry = fc.constantFrom(...keys);
  await fc.assert(
    fc.asyncProperty(entry, fc.nat(), fc.nat(255), fc.boolean(), async (key, at, byte, cut) => {
      const store = new MemoryKeyValue();
      for (const [each, value] of keyValue.content) store.content.set(each, value);
      const value = Buffer.from(openValue(store.content.get(key) ?? new Uint8Array(0), key));
      if (value.length === 0) return;
      value[at % value.length] = byte;
      store.content.set(key, sealValue(cut ? value.subarray(0, at % value.length) : value));
      try {
        const partition = await TagPartition.open({ keyValue: store });
        partition.describeMetrics({ partition: 0, tenant: 'acme', contains: '', fromMs: 0, limit: 0 });
      } catch (error) {
        if (error instanceof AssertionError) throw error;
        if (!isTidemarkError(error, 'data_loss') && !isTidemarkError(error, 'failed_precondition')) throw error;
      }
    }),
    { numRuns: 500 },
  );
});
