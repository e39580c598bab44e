import { expect, test } from '@jest/globals';
import { SERIES_CLASS, seriesName } from '@tidemark/model';
import { AssertionError, isTidemarkError } from '@tidemark/ports';
import { MemoryKeyValue } from '@tidemark/simulation';
import fc from 'fast-check';
import { TagPartition } from './index.ts';
import { openValue, sealValue } from './store-layout.ts';
import { recordOf } from './testing/facts.ts';

/** Keys and values of a store of version 5. */
const GOLDEN: Record<string, string> = {
  '00': '684dc6c9050300020202030202a19c010001000189cfd53265ed958e81fa4b90dde90348',
  '010000000000000000':
    '49149519020461636d65036370750108656e763a70726f640106686f73743a6103d04177a15a47926f0b179a70d955f4dd000102000102' +
    '0461636d65036d656d0307e32780f31a36b02050ce213b940f9f01020100',
  '02000000000000000000004e20': '045bdf5e00010100000000000000',
  '02000000000000000000004e21': 'a120899501010100000000000000',
  '02000000000000000100004e21': 'd6b82b8601010100000000000100',
  '03a57ed50a759bd2abc40715b9d932542100004e21': '00000000',
  '040000000000000001': '9b15a23c6120726561736f6e',
  '0700004e20': 'ca0ec70c00011675f7a4f43a7bf52c2725bf76c50d3d',
  '0700004e21': 'c202be910102d62f74e3603b5d44e0f108269aaad1ff',
};

async function filledStore(): Promise<{ keyValue: MemoryKeyValue; partition: TagPartition }> {
  const keyValue = new MemoryKeyValue();
  const partition = await TagPartition.open({ keyValue });
  const first = seriesName('acme', 'cpu', SERIES_CLASS.reading, ['env:prod', 'host:a']);
  const second = seriesName('acme', 'mem', SERIES_CLASS.count, ['env:prod']);
  const third = seriesName('other', 'cpu', SERIES_CLASS.reading, []);
  partition.apply(
    recordOf(0, [
      { name: first, day: 20_000, isNamed: true },
      { name: second, day: 20_001, isNamed: true },
      { name: third, day: 20_001, isNamed: false },
    ]),
  );
  partition.skip('a reason', { records: 1 });
  partition.apply(recordOf(2, [{ name: first, day: 20_001, isNamed: false }]));
  await partition.commit();
  return { keyValue, partition };
}

test('a store of version 5 is written as the golden one, which opens', async () => {
  const { keyValue, partition } = await filledStore();
  const entries = [...keyValue.content].map(([key, value]) => [key, Buffer.from(value).toString('hex')]);
  expect(Object.fromEntries(entries.sort())).toEqual(GOLDEN);
  const stored = new MemoryKeyValue();
  for (const [key, value] of Object.entries(GOLDEN)) stored.content.set(key, Buffer.from(value, 'hex'));
  const opened = await TagPartition.open({ keyValue: stored });
  expect(opened.status()).toEqual(partition.status());
});

test.each([4, 6])('a store of version %i is failed_precondition', async (version) => {
  const { keyValue } = await filledStore();
  keyValue.content.set('00', sealValue(Buffer.of(version)));
  const message = `the tag store has format ${version}, this program reads 5`;
  await expect(TagPartition.open({ keyValue })).rejects.toThrow(message);
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
        partition.describeMetrics({ partition: 0, tenant: 'acme', contains: '', fromMs: 0, limit: 0, names: [] });
      } catch (error) {
        if (error instanceof AssertionError) throw error;
        if (!isTidemarkError(error, 'data_loss') && !isTidemarkError(error, 'failed_precondition')) throw error;
      }
    }),
    { numRuns: 500 },
  );
});
