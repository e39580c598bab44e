import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { Reader, readRecordsBatches } from '@platformatic/kafka';
import { crc32c, fromHex, toHex } from '@tidemark/bytes';
import { testSeed } from '@tidemark/conformance';
import { assert, below } from '@tidemark/ports';
import { SeededRandom } from '@tidemark/simulation';
import { openEnvelope, placeChecksum, valueChecksum } from './envelope.ts';
import { type BatchSource, encodeBatch, RECORD_OVERHEAD_BYTES } from './record-batch.ts';

const golden: Record<string, string> = JSON.parse(
  await readFile(new URL('./record-format.golden.json', import.meta.url), 'utf8'),
);
const PLACE = placeChecksum('points', 3);

function source(value: Uint8Array, more: Partial<BatchSource> = {}): BatchSource {
  return {
    producerId: 4711n,
    producerEpoch: 2,
    sequence: 9,
    timestampMs: 1_700_000_000_123.7,
    checksum: valueChecksum(PLACE, value),
    value,
    ...more,
  };
}

/** The stored record as a consumer reads it, by the client's own decoder. */
function stored(batch: Uint8Array) {
  const [decoded] = readRecordsBatches(Reader.from(Buffer.from(batch)));
  assert(decoded !== undefined, 'a batch');
  return decoded;
}

describe('format 1', () => {
  test('encoding gives the golden bytes', () => {
    const batches = { text: encodeBatch(source(Buffer.from('a value'))), empty: encodeBatch(source(Buffer.alloc(0))) };
    expect(Object.fromEntries(Object.entries(batches).map(([name, batch]) => [name, toHex(batch)]))).toEqual(golden);
  });

  test('the golden bytes decode to their values', () => {
    const [record] = stored(fromHex(golden.text)).records;
    expect(String(openEnvelope(PLACE, record.value))).toBe('a value');
    const [empty] = stored(fromHex(golden.empty)).records;
    expect(openEnvelope(PLACE, empty.value)).toHaveLength(0);
  });
});

test('a batch of any size reads as Kafka reads it, with the checksum that brokers check', () => {
  const random = new SeededRandom(1);
  for (const size of [0, 1, 57, 58, 59, 60, 127, 128, 8185, 8186, 8187, 16_384, 300_000]) {
    const value = random.bytes(size);
    const batch = encodeBatch(source(value, { sequence: 2 ** 31 - 1 }));
    expect(batch.length - size).toBeLessThanOrEqual(RECORD_OVERHEAD_BYTES);
    const decoded = stored(batch);
    expect(decoded).toMatchObject({
      length: batch.length - 12,
      magic: 2,
      attributes: 0,
      lastOffsetDelta: 0,
      firstTimestamp: 1_700_000_000_123n,
      maxTimestamp: 1_700_000_000_123n,
      producerId: 4711n,
      producerEpoch: 2,
      firstSequence: 2 ** 31 - 1,
    });
    expect(decoded.crc).toBe(crc32c(batch.subarray(21)));
    expect(decoded.records).toHaveLength(1);
    const found = openEnvelope(PLACE, decoded.records[0].value);
    assert(typeof found !== 'string', 'a whole record');
    expect(Buffer.compare(found, value)).toBe(0);
  }
});

test('a record of another partition fails its checksum', () => {
  const [record] = stored(encodeBatch(source(Buffer.from('a value')))).records;
  expect(openEnvelope(placeChecksum('points', 4), record.value)).toBe('it fails its checksum');
  expect(openEnvelope(placeChecksum('tags', 3), record.value)).toBe('it fails its checksum');
  expect(openEnvelope(PLACE, null)).toBe('it has no value');
});

const seed = testSeed();

test(`damage of a record is detected and never gives another value (TIDEMARK_TEST_SEED=${seed})`, () => {
  const random = new SeededRandom(seed);
  const [record] = stored(encodeBatch(source(random.bytes(200)))).records;
  const whole = Uint8Array.from(record.value ?? []);
  for (let at = 0; at < whole.length; at++) {
    const damaged = Uint8Array.from(whole);
    damaged[at] ^= 1 + below(random, 255);
    expect(typeof openEnvelope(PLACE, damaged)).toBe('string');
  }
  for (let length = 0; length < whole.length; length++) {
    expect(typeof openEnvelope(PLACE, whole.subarray(0, length))).toBe('string');
  }
  for (let run = 0; run < 2000; run++) {
    expect(typeof openEnvelope(PLACE, random.bytes(below(random, 60)))).toBe('string');
  }
});
