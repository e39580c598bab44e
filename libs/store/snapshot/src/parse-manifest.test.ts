import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { testSeed } from '@tidemark/conformance';
import { sha256Of } from '@tidemark/documents';
import { isTidemarkError, TidemarkError } from '@tidemark/ports';
import fc from 'fast-check';
import { checkedManifest, parseManifest } from './parse-manifest.ts';
import {
  encodeManifest,
  MANIFEST_BYTES,
  MANIFEST_VERSION,
  SNAPSHOT_FILES,
  type SnapshotManifest,
} from './snapshot-manifest.ts';
import { EXAMPLE } from './testing/example-manifest.ts';

const GOLDEN = JSON.parse(readFileSync(new URL('./snapshot-manifest.golden.json', import.meta.url), 'utf8'));
const KEY = `snapshots/points-3/manifests/${EXAMPLE.id}.json`;
const [FILE] = EXAMPLE.files;
const seed = testSeed();

function parse(bytes: Uint8Array): SnapshotManifest {
  return parseManifest(bytes, KEY, EXAMPLE, EXAMPLE.id);
}

function errorOf(bytes: Uint8Array): TidemarkError {
  try {
    parse(bytes);
  } catch (error) {
    if (error instanceof TidemarkError) return error;
    throw error;
  }
  throw new Error('no error');
}

/** A text with the closing SHA-256 of a manifest. */
function closed(body: string): Uint8Array {
  return Buffer.from(`${body},"sha256":"${sha256Of(Buffer.from(body))}"}\n`);
}

/** The manifest with other fields, closed as a program would. */
function withFields(fields: object): Uint8Array {
  const { sha256: _, ...values } = JSON.parse(GOLDEN.manifest);
  return closed(JSON.stringify({ ...values, ...fields }).slice(0, -1));
}

test('the manifest of version 1 is read, and written', () => {
  expect(GOLDEN.version).toBe(MANIFEST_VERSION);
  expect(Buffer.from(encodeManifest(EXAMPLE)).toString()).toBe(GOLDEN.manifest);
  expect(parse(Buffer.from(GOLDEN.manifest))).toEqual(EXAMPLE);
  const { watermarkMs: _, ...rest } = EXAMPLE;
  expect(parse(encodeManifest(rest))).toEqual(rest);
});

test('every flipped bit and every truncation is data_loss', () => {
  const whole = Buffer.from(GOLDEN.manifest);
  for (let bit = 0; bit < 8 * whole.length; bit++) {
    const damaged = Buffer.from(whole);
    damaged[bit >> 3] ^= 1 << (bit & 7);
    expect([bit, errorOf(damaged).code]).toEqual([bit, 'data_loss']);
  }
  for (let length = 0; length < whole.length; length++) {
    expect([length, errorOf(whole.subarray(0, length)).code]).toEqual([length, 'data_loss']);
  }
});

test('a closed manifest with a wrong field is refused by field, value and limit', () => {
  const refusals: [object, string, string][] = [
    [{ format: 0 }, 'format', '0'],
    [{ id: '1234-0' }, 'id', '"1234-0"'],
    [{ kind: 'logs' }, 'kind', '"logs"'],
    [{ partition: -1 }, 'partition', '-1'],
    [{ partition: 1_000_000 }, 'partition', '1000000'],
    [{ storeFormat: 0 }, 'storeFormat', '0'],
    [{ logId: '' }, 'logId', '""'],
    [{ logId: 'x'.repeat(257) }, 'logId', 'xxx'],
    [{ offset: 1235 }, 'offset', '1235'],
    [{ offset: 1.5 }, 'offset', '1.5'],
    [{ offset: 2 ** 53 }, 'offset', '9007199254740992'],
    [{ offset: '1234' }, 'offset', '"1234"'],
    [{ watermarkMs: null }, 'watermarkMs', 'null'],
    [{ createdMs: 'now' }, 'createdMs', '"now"'],
    [{ createdBy: 'a\u0000b' }, 'createdBy', 'a\\u0000b'],
    [{ createdBy: 'a\u202eb' }, 'createdBy', 'a\\u202eb'],
    [{ stateHashes: {} }, 'stateHashes', '{}'],
    [{ stateHashes: [{ bucket: '1' }] }, 'stateHashes[0].hash', 'nothing'],
    [{ files: undefined }, 'files', 'nothing'],
    [{ files: [1] }, 'files[0]', '1'],
    [{ files: [{ ...FILE, bytes: -1 }] }, 'files[0].bytes', '-1'],
    [{ files: [{ ...FILE, bytes: 2 ** 37 + 1 }] }, 'files[0].bytes', String(2 ** 37 + 1)],
    [{ files: [{ ...FILE, sha256: 'A'.repeat(64) }] }, 'files[0].sha256', 'AAA'],
    [{ files: [{ ...FILE, upload: '../../x' }] }, 'files[0].upload', '"../../x"'],
    [{ files: [{ ...FILE, key: 'x' }] }, 'files[0].key', 'unknown'],
    [{ files: [FILE, { ...FILE, name: '000012.SST' }] }, 'files[1].name', '"000012.SST"'],
    [{ files: Array.from({ length: SNAPSHOT_FILES + 1 }, () => 1) }, 'files', `${SNAPSHOT_FILES + 1} entries`],
    [{ other: 1 }, 'other', 'unknown'],
  ];
  for (const name of [
    '../x',
    '/etc/passwd',
    'a/b',
    '..',
    '.',
    '',
    '.hidden',
    'a\\b',
    'C:x',
    'x'.repeat(129),
    'ä',
    'a\n',
  ]) {
    refusals.push([{ files: [{ ...FILE, name }] }, 'files[0].name', '']);
  }
  for (const [fields, field, found] of refusals) {
    const error = errorOf(withFields(fields));
    expect([fields, error.code, error.detail.field]).toEqual([fields, 'data_loss', field]);
    expect(error.message).toContain(`object ${KEY}, ${field}: `);
    expect(error.message).toContain(found);
    expect(error.message).toMatch(/\(limit: .+\)$/);
    expect(error.message.length).toBeLessThan(600);
  }
});

test('a newer format, and the manifest of another partition, kind or snapshot, are failed_precondition with the reason', () => {
  const newer = errorOf(withFields({ format: 2, other: 1 }));
  expect([newer.code, newer.detail.reason]).toEqual(['failed_precondition', 'newer']);
  expect(newer.message).toContain('format: 2 (limit: 1)');
  const id = '0000000000001234-ffffffffffffffff';
  for (const [field, value] of Object.entries({ kind: 'tags', partition: 4, id })) {
    const error = errorOf(withFields({ [field]: value }));
    expect([error.code, error.detail.reason, error.detail.field]).toEqual(['failed_precondition', 'foreign', field]);
  }
});

test('bytes that no program writes are refused, also where JSON reads them as the same', () => {
  const body = GOLDEN.manifest.slice(0, GOLDEN.manifest.lastIndexOf(',"sha256"'));
  for (const other of [
    body.replace(':3,', ':3 ,'),
    body.replace('"partition":3', '"partition":4,"partition":3'),
    ` ${body}`,
  ]) {
    expect(errorOf(closed(other)).code).toBe('data_loss');
  }
  expect(errorOf(closed('[1')).code).toBe('data_loss');
  expect(errorOf(Buffer.concat([Buffer.from([0xff]), Buffer.from(GOLDEN.manifest)])).code).toBe('data_loss');
  expect(errorOf(new Uint8Array(MANIFEST_BYTES + 1)).message).toContain(
    `"${MANIFEST_BYTES + 1} bytes" (limit: ${MANIFEST_BYTES} bytes)`,
  );
});

test('a snapshot beyond a limit is refused before it is made', () => {
  const files = [{ ...FILE, name: '../x' }];
  expect(() => checkedManifest({ ...EXAMPLE, files })).toThrow(/files\[0\]\.name: "..\/x" \(limit: /);
  try {
    checkedManifest({ ...EXAMPLE, logId: '' });
  } catch (error) {
    expect(isTidemarkError(error, 'invalid_argument')).toBe(true);
  }
});

test(`a parsed manifest is encoded as the same bytes, for any content (TIDEMARK_TEST_SEED=${seed})`, () => {
  const text = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme-ascii' });
  const hex = (length: number) =>
    fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
  const file = fc.record({
    name: fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,20}$/),
    bytes: fc.nat(),
    sha256: hex(64),
    upload: hex(16),
  });
  const manifest = fc.record({
    storeFormat: fc.integer({ min: 1, max: 99 }),
    logId: text,
    createdMs: fc.maxSafeInteger(),
    watermarkMs: fc.maxSafeInteger(),
    createdBy: text,
    stateHashes: fc.array(fc.record({ bucket: text, hash: text }), { maxLength: 5 }),
    files: fc.uniqueArray(file, { maxLength: 5, selector: ({ name }) => name.toLowerCase() }),
  });
  const property = fc.property(manifest, (some) => {
    const whole = { ...EXAMPLE, ...some };
    expect(parse(encodeManifest(whole))).toEqual(whole);
  });
  fc.assert(property, { seed });
});
