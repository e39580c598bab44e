import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { crc32c } from '@tidemark/bytes';
import { testSeed } from '@tidemark/conformance';
import { SERIES_CLASS, type SeriesClass } from '@tidemark/model';
import { isTidemarkError } from '@tidemark/ports';
import type { SegmentSource } from '@tidemark/segment';
import fc from 'fast-check';
import type { NamedSeries } from './names-format.ts';
import { NamesObject, type NamesQuery } from './names-object.ts';
import { NamesWriter } from './names-writer.ts';

/** An object in hex, as docs/formats/names.md describes it. A change there is a change of the format. */
const GOLDEN_FILE = new URL('names-v1.golden.json', import.meta.url);
const DAY = 20_000;

function sourceOf(bytes: Uint8Array, reads: number[] = []): SegmentSource {
  return {
    sizeBytes: bytes.length,
    readRange: (offset, length) => {
      reads.push(length);
      return Promise.resolve(bytes.subarray(offset, offset + length));
    },
  };
}

function encoded(series: readonly NamedSeries[]): Buffer {
  const writer = new NamesWriter(DAY);
  for (const one of series) writer.add(one);
  return Buffer.concat(writer.finish());
}

async function read(bytes: Uint8Array, query: NamesQuery = {}, reads?: number[]): Promise<NamedSeries[]> {
  const found: NamedSeries[] = [];
  const names = await NamesObject.open(sourceOf(bytes, reads));
  for await (const { id, name } of names.read(query)) found.push({ id: Uint8Array.from(id), name });
  return found;
}

function seriesOf(
  tenant: string,
  metric: string,
  number: number,
  tags: string[],
  seriesClass: SeriesClass,
): NamedSeries {
  const id = new Uint8Array(16);
  new DataView(id.buffer).setUint32(0, number);
  return { id, name: { tenant, metric, seriesClass, tags } };
}

/** Series in the order of segments; tags make records of all sizes. */
const manySeries = fc
  .array(
    fc.record({
      tenant: fc.constantFrom('a', 'b', 'é'),
      metrics: fc.integer({ min: 1, max: 6 }),
      series: fc.integer({ min: 1, max: 60 }),
      tagBytes: fc.constantFrom(1, 300, 7000),
    }),
    { maxLength: 4 },
  )
  .map((parts) => {
    const all = new Map<string, NamedSeries>();
    for (const { tenant, metrics, series, tagBytes } of parts) {
      for (let i = 0; i < series; i++) {
        const metric = `m${i % metrics}`;
        const tags = [`host:${i}-${'x'.repeat(tagBytes)}`, 'zone:é'];
        all.set(
          `${tenant} ${metric} ${String(i).padStart(9, '0')}`,
          seriesOf(tenant, metric, i, tags, SERIES_CLASS.count),
        );
      }
    }
    return [...all].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))).map(([, one]) => one);
  });

test('reads the series that it was given, all of them, those of a tenant, or those of a metric', async () => {
  let several = 0;
  await fc.assert(
    fc.asyncProperty(manySeries, async (series) => {
      const bytes = encoded(series);
      expect(encoded(series)).toEqual(bytes);
      expect(await read(bytes)).toEqual(series);
      if (bytes.length > 200_000) several++;
      for (const tenant of ['a', 'b', 'c']) {
        const ofTenant = series.filter(({ name }) => name.tenant === tenant);
        expect(await read(bytes, { tenant })).toEqual(ofTenant);
        for (const metric of ['m0', 'm3', 'n']) {
          const expected = ofTenant.filter(({ name }) => name.metric === metric);
          expect(await read(bytes, { tenant, metric })).toEqual(expected);
        }
      }
    }),
    { numRuns: 40, seed: testSeed() },
  );
  expect(several).toBeGreaterThan(3);
});

test('reads what may have a metric, and not the whole object', async () => {
  const series = Array.from({ length: 40_000 }, (_, i) => {
    const metric = `metric.${String(i >> 7).padStart(4, '0')}`;
    return seriesOf('acme', metric, i, [`host:web-${i}`], SERIES_CLASS.reading);
  });
  const bytes = encoded(series);
  const reads: number[] = [];
  const found = await read(bytes, { tenant: 'acme', metric: 'metric.0100' }, reads);
  expect(found).toEqual(series.slice(12_800, 12_928));
  expect(reads.length).toBe(2);
  expect(reads.reduce((sum, length) => sum + length, 0)).toBeLessThan(bytes.length / 4);
});

test('refuses a flipped bit and a cut anywhere, in every read of all series', async () => {
  const series = Array.from({ length: 40 }, (_, i) => seriesOf('a', `m${i >> 3}`, i, [`h:${i}`], SERIES_CLASS.reading));
  const whole = encoded(series);
  for (let at = 0; at < whole.length; at++) {
    const damaged = Buffer.from(whole);
    damaged[at] ^= 1 << (at % 8);
    await expect(read(damaged)).rejects.toMatchObject({
      code: expect.stringMatching(/^(data_loss|failed_precondition)$/),
    });
    await expect(read(whole.subarray(0, at))).rejects.toMatchObject({ code: 'data_loss' });
  }
});

test('an object of a newer program is not taken for a damaged one', async () => {
  const bytes = encoded([]);
  const error = await read(newer(bytes)).catch((one: unknown) => one);
  expect(isTidemarkError(error, 'failed_precondition') && error.message).toMatch(
    /format 2, this program reads 1; update/,
  );
});

test('writes the golden object of its format, and reads it', async () => {
  const golden: { names: string } = JSON.parse(await readFile(GOLDEN_FILE, 'utf8'));
  const series = [
    seriesOf('acme', 'shop.orders', 1, ['env:prod', 'host:a'], SERIES_CLASS.count),
    seriesOf('acme', 'shop.orders', 2, ['env:prod', 'host:b'], SERIES_CLASS.count),
    seriesOf('acme', 'shop.stock', 1, [], SERIES_CLASS.reading),
  ];
  expect({ names: encoded(series).toString('hex') }).toEqual(golden);
  expect(await read(Buffer.from(golden.names, 'hex'))).toEqual(series);
});

/** The footer with the next version, and its checksum. */
function newer(bytes: Uint8Array): Buffer {
  const copy = Buffer.from(bytes);
  const at = copy.length - 28;
  copy.writeUInt32LE(2, at + 12);
  copy.writeUInt32LE(crc32c(copy.subarray(at, at + 16)), at + 16);
  return copy;
}
