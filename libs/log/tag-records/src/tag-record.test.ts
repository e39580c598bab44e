import { describe, expect, test } from '@jest/globals';
import { crc32c } from '@tidemark/bytes';
import {
  KIND,
  type MetricChange,
  SERIES_CLASS,
  type SeriesClass,
  type SeriesName,
  type StatedSource,
  seriesId,
  seriesName,
} from '@tidemark/model';
import { AssertionError, isTidemarkError } from '@tidemark/ports';
import fc from 'fast-check';
import { MAX_TAGS_RECORD_BYTES, readTagRecord, TagRecordWriter } from './index.ts';

type Entry = { id: string; day: number; name?: SeriesName };

function entriesOf(record: Uint8Array): Entry[] {
  const found: Entry[] = [];
  readTagRecord(record, {
    series: (id, name, day) => found.push({ id: Buffer.from(id).toString('hex'), day, name }),
    day: (id, day) => found.push({ id: Buffer.from(id).toString('hex'), day }),
    statement: () => undefined,
  });
  return found;
}

type Statement = readonly [tenant: string, metric: string, source: StatedSource, change: MetricChange];

function stating(statements: readonly Statement[]): Buffer {
  const writer = new TagRecordWriter();
  for (const one of statements) writer.addStatement(...one);
  const limit = writer.sizeBytes;
  const record = writer.take();
  expect(record.length).toBeLessThanOrEqual(limit);
  return record;
}

function statementsOf(record: Uint8Array): Statement[] {
  const found: Statement[] = [];
  const ignored = () => undefined;
  readTagRecord(record, { series: ignored, day: ignored, statement: (...one) => found.push(one) });
  return found;
}

function write(wanted: readonly Entry[]): Buffer {
  const writer = new TagRecordWriter();
  for (const { id, day, name } of wanted) {
    if (name) writer.addSeries(Buffer.from(id, 'hex'), name, day);
    else writer.addDay(Buffer.from(id, 'hex'), day);
  }
  expect(writer.count).toBe(wanted.length);
  const limit = writer.sizeBytes;
  const record = writer.take();
  expect(record.length).toBeLessThanOrEqual(limit);
  return record;
}

const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 8 }).map((part) => {
  const clean = [...part].filter((c) => c >= ' ' && c !== '\ufffd').join('');
  return clean.length > 0 && clean.isWellFormed() ? clean : 'x';
});
const name = fc
  .tuple(text, text, fc.constantFrom<SeriesClass>(1, 2, 3), fc.array(text, { maxLength: 6 }))
  .map(([tenant, metric, seriesClass, tags]) => seriesName(tenant, metric, seriesClass, tags));
const said = <T>(value: fc.Arbitrary<T>) =>
  fc.constantFrom(undefined, null).chain((none) => fc.oneof(fc.constant(none), value));
const statement: fc.Arbitrary<Statement> = fc.tuple(
  text,
  text,
  fc.constantFrom<StatedSource>('user', 'protocol', 'implied'),
  fc.record({
    kind: said(fc.constantFrom(...Object.values(KIND))),
    unit: said(text),
    description: said(text),
    intervalMs: said(fc.integer({ min: 1, max: 86_400_000 })),
  }),
);
const entry: fc.Arbitrary<Entry> = fc.oneof(
  fc.record({ name, day: fc.nat(100_000) }).map(({ name, day }) => ({ id: seriesId(name).toString('hex'), day, name })),
  fc
    .record({ id: fc.uint8Array({ minLength: 16, maxLength: 16 }), day: fc.nat(100_000_000) })
    .map(({ id, day }) => ({ id: Buffer.from(id).toString('hex'), day })),
);

function seriesOfHost(host: number, day = 20_000): Entry {
  const shared = ['az:eu-west-1b', 'dc:eu', 'env:prod', 'os:linux', 'role:db', 'service:orders', 'team:core', 'v:1.2'];
  const named = seriesName('acme', 'system.cpu.user', SERIES_CLASS.reading, [
    ...shared,
    `host:web-${host}.example.internal`,
  ]);
  return { id: seriesId(named).toString('hex'), day, name: named };
}

describe('tags record', () => {
  test('a record returns its entries, series first', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 20 }), (wanted) => {
        const inOrder = [...wanted.filter((one) => one.name), ...wanted.filter((one) => !one.name)];
        expect(entriesOf(write(wanted))).toEqual(inOrder);
      }),
    );
  });

  test('a record returns its statements in order, with the fields that were said', () => {
    fc.assert(
      fc.property(fc.array(statement, { maxLength: 8 }), (wanted) => {
        expect(statementsOf(stating(wanted))).toEqual(wanted);
      }),
    );
  });

  test('a writer is empty after take', () => {
    const writer = new TagRecordWriter();
    const one = seriesOfHost(1);
    const records = [0, 1].map(() => {
      if (one.name) writer.addSeries(Buffer.from(one.id, 'hex'), one.name, one.day);
      return writer.take();
    });
    expect(records[1]).toEqual(records[0]);
  });

  test('1,000 series of one metric take at most 60 bytes each, and a later day at most 18', () => {
    const all = Array.from({ length: 1000 }, (_, host) => seriesOfHost(host));
    expect(write(all).length / 1000).toBeLessThanOrEqual(60);
    expect(write(all.map(({ id, day }) => ({ id, day }))).length / 1000).toBeLessThanOrEqual(18);
  });

  test('golden: version 2', () => {
    const tags = ['env:prod', 'host:a'];
    const first = seriesName('acme', 'cpu', SERIES_CLASS.reading, tags);
    const second = seriesName('acme', 'cpu', SERIES_CLASS.reading, ['host:b', 'prod']);
    const record = write([
      { id: '11'.repeat(16), name: first, day: 20_000 },
      { id: '22'.repeat(16), name: second, day: 19_999 },
      { id: '33'.repeat(16), day: 20_001 },
    ]);
    expect(record.toString('hex')).toBe(GOLDEN);
    expect(entriesOf(Buffer.from(GOLDEN, 'hex'))[1]).toEqual({ id: '22'.repeat(16), name: second, day: 19_999 });
  });

  test('a full record refuses another entry with resource_exhausted and stays unchanged', () => {
    const writer = new TagRecordWriter();
    const id = Buffer.alloc(16, 7);
    let added = 0;
    let refusal: unknown;
    while (refusal === undefined) {
      try {
        writer.addDay(id, 20_000);
        added++;
      } catch (error) {
        refusal = error;
      }
    }
    expect(isTidemarkError(refusal, 'resource_exhausted')).toBe(true);
    const record = writer.take();
    expect(record.length).toBeLessThanOrEqual(MAX_TAGS_RECORD_BYTES);
    expect(entriesOf(record).length).toBe(added);
    expect(() => writer.addDay(id, -1)).toThrow(/^day: -1 \(limit: /);
  });
});

describe('hostile bytes', () => {
  /** Reads the record; true when it was valid. A visit before the whole record is known to be valid fails the test. */
  function check(record: Uint8Array): boolean {
    let visited = 0;
    try {
      readTagRecord(record, { series: () => visited++, day: () => visited++, statement: () => visited++ });
      return true;
    } catch (error) {
      if (error instanceof AssertionError || !isTidemarkError(error, 'data_loss')) throw error;
      expect(visited).toBe(0);
      return false;
    }
  }

  test('any flipped or missing byte throws data_loss', () => {
    const stated: Statement = ['acme', 'cpu', 'user', { kind: KIND.counter, unit: 'byte', intervalMs: null }];
    for (const record of [write([seriesOfHost(1), { id: '44'.repeat(16), day: 3 }]), stating([stated])])
      checkEach(record);
  });

  function checkEach(record: Buffer): void {
    for (let i = 0; i < record.length; i++) {
      const changed = Buffer.from(record);
      changed[i] ^= 0x41;
      expect(check(changed)).toBe(false);
      expect(check(record.subarray(0, i))).toBe(false);
    }
  }

  test('a changed record with a correct checksum is refused with data_loss or read', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 6 }), fc.nat(), fc.nat(255), fc.boolean(), (wanted, at, byte, cut) => {
        const record = write(wanted);
        const position = 9 + (at % (record.length - 9));
        record[position] = byte;
        const hostile = Buffer.from(cut ? record.subarray(0, position) : record);
        hostile.writeUInt32LE(crc32c(hostile.subarray(9)), 5);
        check(hostile);
      }),
      { numRuns: 1000 },
    );
  });

  test('unsorted or repeated tags are refused', () => {
    for (const tags of [
      ['b', 'a'],
      ['a', 'a'],
      ['\ud83d\ude00', '\uff5e'],
    ]) {
      expect(
        check(write([{ id: '11'.repeat(16), day: 1, name: { tenant: 't', metric: 'm', seriesClass: 1, tags } }])),
      ).toBe(false);
    }
  });
});

/** Header, texts, metrics, series, days, statements. */
const GOLDEN = [
  '544d5447022ddf7540',
  '060461636d650363707508656e763a70726f6406686f73743a6106686f73743a620470726f64',
  '010001',
  '021111111111111111111111111111111100c0b802020203222222222222222222222222222222220001020405',
  '0133333333333333333333333333333333c2b802',
  '00',
].join('');
