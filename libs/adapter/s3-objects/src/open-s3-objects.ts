import { toHex } from '@tidemark/bytes';
import { isTidemarkError, type ObjectStore, type Random, TidemarkError } from '@tidemark/ports';
import { S3Objects } from './s3-objects.ts';
import { DEFAULT_S3_LIMITS, type S3Options } from './s3-options.ts';

const CHECK_BYTES = Buffer.from('written and deleted by tidemark, to check what the server can do\n');
const MIN_PART_BYTES = 5 * 2 ** 20;

/**
 * Opens a bucket, and checks with an object `check/RANDOM.tmp` that it has what the port promises. Errors: those of the port;
 * `failed_precondition` for wrong settings and for a server that ignores a condition, a range or a prefix;
 * `permission_denied` for wrong credentials.
 */
export async function openS3Objects(options: S3Options, random: Random): Promise<ObjectStore> {
  checkOptions(options);
  const store = new S3Objects(options, random);
  try {
    await checkServer(store, `check/${toHex(random.bytes(8))}.tmp`);
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

function checkOptions({ prefix = '', endpoint, limits }: S3Options): void {
  const refuse = (field: string, found: string, limit: string) =>
    new TidemarkError('failed_precondition', `${field}: ${found} (limit: ${limit})`, { field });
  if (!/^([\w.-]+\/)*$/.test(prefix))
    throw refuse('prefix', prefix, 'empty, or parts of A-Z a-z 0-9 . _ - with / after each');
  if (endpoint !== undefined && !/^https?:\/\/[^/@\s]+\/?$/.test(endpoint)) {
    throw refuse('endpoint', 'another text', 'https://HOST:PORT, without path, name and password');
  }
  const { partBytes } = { ...DEFAULT_S3_LIMITS, ...limits };
  if (partBytes < MIN_PART_BYTES) throw refuse('partBytes', String(partBytes), `at least ${MIN_PART_BYTES}`);
}

/** How often a refusal is asked for that came with an error of the connection. */
const REFUSAL_ATTEMPTS = 5;

async function checkServer(store: ObjectStore, key: string): Promise<void> {
  const { version, crc32c } = await store.put(key, CHECK_BYTES, { ifAbsent: true });
  try {
    const stale = `"${'0'.repeat(32)}"`;
    await expectRefusal(() => store.put(key, CHECK_BYTES, { ifAbsent: true }), 'already_exists', 'If-None-Match');
    await expectRefusal(() => store.put(key, CHECK_BYTES, { ifVersion: stale }), 'failed_precondition', 'If-Match');
    await expectRefusal(
      () => store.getRange(key, { offset: 0, length: 1 }, { version: stale }),
      'failed_precondition',
      'If-Match',
    );
    await store.put(key, CHECK_BYTES, { ifVersion: version });
    const found = await store.get(key);
    if (found.crc32c !== crc32c) throw missing('checksums');
    const part = await store.getRange(key, { offset: 8, length: 3 });
    if (Buffer.compare(part, CHECK_BYTES.subarray(8, 11)) !== 0) throw missing('ranges');
    const { objects } = await store.list(key);
    if (objects.length !== 1 || objects[0].key !== key) throw missing('lists by prefix');
  } finally {
    await store.delete([key]).catch(() => undefined);
  }
  await expectRefusal(() => store.head(key), 'not_found', 'deletion');
}

async function expectRefusal(task: () => Promise<unknown>, code: string, what: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await task();
    } catch (error) {
      if (isTidemarkError(error) && error.code === code) return;
      // A put that was repeated does not know whether its condition failed by itself.
      if (isTidemarkError(error, 'unavailable') && attempt < REFUSAL_ATTEMPTS) continue;
      throw error;
    }
    throw missing(what);
  }
}

function missing(what: string): TidemarkError {
  const message = `the server ignores ${what}, without which writers could lose data; use another server`;
  return new TidemarkError('failed_precondition', message, { what });
}
