import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { crc32c as crc32cOf, toHex } from '@tidemark/bytes';
import {
  assertOneCondition,
  checkObjectKey,
  checkObjectPrefix,
  checkObjectRange,
  checkPageLimit,
  checkStatedCrc32c,
  checkWholeObject,
  isTidemarkError,
  type ListOptions,
  limitError,
  type ObjectInfo,
  type ObjectOptions,
  type ObjectPage,
  type ObjectRange,
  type ObjectStore,
  PAGE_KEYS,
  type PutOptions,
  type PutStreamOptions,
  pastObjectEnd,
  type Random,
  type ReadObjectOptions,
  type StoredObject,
  TidemarkError,
} from '@tidemark/ports';
import { listedObjects } from './listed-objects.ts';
import { partsOf } from './parts.ts';
import { readBody } from './s3-body.ts';
import { META_CRC32C, META_PUT, statedCrc32c, toBase64, toMetadata } from './s3-checksum.ts';
import { S3Connection } from './s3-connection.ts';
import { type Asked, s3Error } from './s3-error.ts';
import type { S3Options } from './s3-options.ts';
import { S3Upload } from './s3-upload.ts';

const PUT_ID_BYTES = 8;
/** Errors of a put whose first attempt may have succeeded: its repetition fails by its own condition or upload. */
const SETTLED_CODES = ['already_exists', 'failed_precondition', 'aborted'];

/** An object store in a bucket with the API of S3. Use `openS3Objects`, which checks the bucket. */
export class S3Objects implements ObjectStore {
  readonly #connection: S3Connection;
  readonly #options: S3Options;
  readonly #random: Random;
  readonly #checksums: boolean;

  constructor(options: S3Options, random: Random) {
    this.#connection = new S3Connection(options);
    this.#options = options;
    this.#random = random;
    this.#checksums = options.checksums ?? true;
  }

  async put(key: string, bytes: Uint8Array, options: PutOptions = {}): Promise<ObjectInfo> {
    checkObjectKey(key);
    assertOneCondition(options);
    checkWholeObject(key, bytes.length, 'put it as a stream');
    const crc32c = crc32cOf(bytes);
    const putId = this.#putId();
    const input = {
      ...this.#newObject(key, { [META_PUT]: putId, [META_CRC32C]: toMetadata(crc32c) }),
      Body: bytes,
      ContentLength: bytes.length,
      ...(this.#checksums ? { ChecksumCRC32C: toBase64(crc32c) } : {}),
      ...conditionOf(options),
    };
    const asked = askedPut(key, options);
    return this.#settled(key, putId, options, async () => {
      const { ETag } = await this.#connection.send(new PutObjectCommand(input), asked, options.signal);
      return { key, sizeBytes: bytes.length, version: versionOf(key, ETag), crc32c };
    });
  }

  async putStream(key: string, chunks: AsyncIterable<Uint8Array>, options: PutStreamOptions = {}): Promise<ObjectInfo> {
    checkObjectKey(key);
    assertOneCondition(options);
    options.signal?.throwIfAborted();
    const putId = this.#putId();
    let upload: S3Upload | undefined;
    let sizeBytes = 0;
    let crc32c = 0;
    try {
      for await (const { bytes, isLast } of partsOf(chunks, this.#connection.limits.partBytes)) {
        options.signal?.throwIfAborted();
        crc32c = crc32cOf(bytes, crc32c);
        sizeBytes += bytes.length;
        if (isLast) checkStatedCrc32c(key, crc32c, options);
        if (isLast && upload === undefined) return await this.put(key, bytes, options);
        upload ??= await this.#beginUpload(key, putId, options);
        await upload.put(bytes);
      }
      const whole = upload;
      if (whole === undefined) throw new Error('a stream has at least one part');
      return await this.#settled(key, putId, options, async () => {
        const version = versionOf(key, await whole.complete(crc32c, conditionOf(options)));
        return { key, sizeBytes, version, crc32c };
      });
    } catch (error) {
      await upload?.abandon();
      throw error;
    }
  }

  async head(key: string, options: ObjectOptions = {}): Promise<ObjectInfo> {
    checkObjectKey(key);
    return infoOf(key, await this.#headAnswer(key, options.signal));
  }

  async get(key: string, options: ReadObjectOptions = {}): Promise<StoredObject> {
    checkObjectKey(key);
    const command = () => new GetObjectCommand({ ...this.#target(key), IfMatch: options.version });
    return this.#readAgain(options.signal, () =>
      this.#connection.send(command(), askedRead(key, options), options.signal, async (answer, signal) => {
        const info = infoOf(key, answer);
        checkWholeObject(key, info.sizeBytes, 'read it in ranges');
        const bytes = await readBody(answer.Body, info.sizeBytes, key, signal);
        if (crc32cOf(bytes) !== info.crc32c) throw damagedBytes(key);
        return { ...info, bytes };
      }),
    );
  }

  async getRange(key: string, range: ObjectRange, options: ReadObjectOptions = {}): Promise<Uint8Array> {
    checkObjectKey(key);
    checkObjectRange(key, range);
    const { offset, length } = range;
    const last = offset + length - 1;
    const input = { ...this.#target(key), Range: `bytes=${offset}-${last}`, IfMatch: options.version };
    return this.#readAgain(options.signal, () =>
      this.#connection.send(
        new GetObjectCommand(input),
        askedRead(key, options),
        options.signal,
        async (answer, signal) => {
          const [, from, to, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(answer.ContentRange ?? '') ?? [];
          if (Number(size) <= last) throw pastObjectEnd(key, range, Number(size));
          if (Number(from) !== offset || Number(to) !== last) throw otherRange(key, answer.ContentRange);
          const bytes = await readBody(answer.Body, length, key, signal);
          if (range.crc32c !== undefined && crc32cOf(bytes) !== range.crc32c) throw damagedBytes(key);
          return bytes;
        },
      ),
    );
  }

  async list(prefix: string, options: ListOptions = {}): Promise<ObjectPage> {
    const { startAfter = '', limit = PAGE_KEYS, signal } = options;
    checkObjectPrefix(prefix);
    checkPageLimit(limit);
    const own = this.#options.prefix ?? '';
    const command = new ListObjectsV2Command({
      Bucket: this.#options.bucket,
      Prefix: own + prefix,
      MaxKeys: limit,
      EncodingType: 'url',
      ...(startAfter === '' ? {} : { StartAfter: own + startAfter }),
    });
    const answer = await this.#connection.send(command, { what: 'list', key: prefix }, signal);
    return listedObjects(answer, { own, prefix, startAfter });
  }

  async delete(keys: readonly string[], options: ObjectOptions = {}): Promise<void> {
    for (const key of keys) checkObjectKey(key);
    options.signal?.throwIfAborted();
    if (!this.#checksums) {
      for (const key of keys) {
        await this.#connection.send(
          new DeleteObjectCommand(this.#target(key)),
          { what: 'delete', key },
          options.signal,
        );
      }
      return;
    }
    for (let from = 0; from < keys.length; from += PAGE_KEYS) {
      await this.#deletePage(keys.slice(from, from + PAGE_KEYS), options.signal);
    }
  }

  async close(): Promise<void> {
    this.#connection.close();
  }

  async #deletePage(keys: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    const Objects = keys.map((key) => ({ Key: this.#target(key).Key }));
    const command = new DeleteObjectsCommand({ Bucket: this.#options.bucket, Delete: { Objects, Quiet: true } });
    const { Errors = [] } = await this.#connection.send(command, { what: 'delete', key: keys[0] }, signal);
    const [first] = Errors;
    if (first === undefined) return;
    const key = first.Key?.slice((this.#options.prefix ?? '').length) ?? keys[0];
    throw s3Error({ name: first.Code }, { what: 'delete', key }, this.#connection.place);
  }

  async #beginUpload(key: string, putId: string, options: PutStreamOptions): Promise<S3Upload> {
    const { crc32c, signal } = options;
    if (crc32c === undefined && !this.#checksums) {
      const limit = 'stated beforehand, because the server keeps no checksums';
      throw limitError(`CRC-32C of object ${key}`, 'none', limit);
    }
    const metadata = { [META_PUT]: putId, ...(crc32c === undefined ? {} : { [META_CRC32C]: toMetadata(crc32c) }) };
    const asked = askedPut(key, options);
    const upload = { connection: this.#connection, asked, checksums: this.#checksums, signal };
    return S3Upload.begin(this.#newObject(key, metadata), upload);
  }

  /**
   * Runs a put. When its condition fails, it may be by an earlier attempt of the same put, whose reply was lost. If that was replaced
   * meanwhile, nothing says whether it was applied: `unavailable`.
   */
  async #settled(
    key: string,
    putId: string,
    { signal, ifVersion }: PutOptions,
    put: () => Promise<ObjectInfo>,
  ): Promise<ObjectInfo> {
    try {
      return await put();
    } catch (error) {
      if (!isTidemarkError(error) || !SETTLED_CODES.includes(error.code)) throw error;
      const found = await this.#headAnswer(key, signal).catch(() => undefined);
      if (found?.Metadata?.[META_PUT] === putId) return infoOf(key, found);
      if (ifVersion === undefined || found === undefined || !(Number(error.detail.attempts) > 1)) throw error;
      const text = `object ${key}: the reply to a put was lost, and another writer has put it since: read it, and retry`;
      throw new TidemarkError('unavailable', text, { ...error.detail }, { cause: error });
    }
  }

  async #headAnswer(key: string, signal: AbortSignal | undefined): Promise<HeadObjectCommandOutput> {
    const asked: Asked = { what: 'read', key };
    try {
      return await this.#connection.send(new HeadObjectCommand(this.#target(key)), asked, signal);
    } catch (error) {
      // An answer to HEAD has no body, so a bucket that does not exist looks as an object that does not.
      if (isTidemarkError(error, 'not_found')) await this.#checkBucket(asked, signal);
      throw error;
    }
  }

  async #checkBucket(asked: Asked, signal: AbortSignal | undefined): Promise<void> {
    const command = new HeadBucketCommand({ Bucket: this.#options.bucket });
    try {
      await this.#connection.send(command, asked, signal);
    } catch (error) {
      if (!isTidemarkError(error, 'not_found')) throw error;
      throw s3Error({ name: 'NoSuchBucket' }, asked, this.#connection.place);
    }
  }

  /** Reads again when a body was cut or damaged on its way. */
  async #readAgain<T>(signal: AbortSignal | undefined, read: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await read();
      } catch (error) {
        signal?.throwIfAborted();
        const isBody = isTidemarkError(error) && ('statedBytes' in error.detail || error.code === 'data_loss');
        if (!isBody || attempt >= this.#connection.limits.attempts) throw error;
      }
    }
  }

  #target(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#options.bucket, Key: (this.#options.prefix ?? '') + key };
  }

  #newObject(key: string, metadata: Record<string, string>) {
    const { encryption, kmsKeyId, storageClass } = this.#options;
    return {
      ...this.#target(key),
      ContentType: 'application/octet-stream',
      Metadata: metadata,
      ...(encryption === undefined ? {} : { ServerSideEncryption: encryption }),
      ...(kmsKeyId === undefined ? {} : { SSEKMSKeyId: kmsKeyId }),
      // The SDK lists the classes that it knows; servers have others.
      ...(storageClass === undefined ? {} : { StorageClass: storageClass as 'STANDARD' }),
    };
  }

  #putId(): string {
    return toHex(this.#random.bytes(PUT_ID_BYTES));
  }
}

function conditionOf({ ifAbsent, ifVersion }: PutOptions): { IfNoneMatch?: string; IfMatch?: string } {
  if (ifAbsent) return { IfNoneMatch: '*' };
  return ifVersion === undefined ? {} : { IfMatch: ifVersion };
}

function askedPut(key: string, { ifAbsent }: PutOptions): Asked {
  return { what: 'put', key, condition: ifAbsent ? 'absent' : 'version' };
}

function askedRead(key: string, { version }: ReadObjectOptions): Asked {
  return { what: 'read', key, ...(version === undefined ? {} : { condition: 'version' }) };
}

function infoOf(
  key: string,
  answer: Pick<HeadObjectCommandOutput, 'ContentLength' | 'ETag' | 'ChecksumCRC32C' | 'Metadata'>,
): ObjectInfo {
  const { ContentLength: sizeBytes, ETag } = answer;
  if (sizeBytes === undefined)
    throw new TidemarkError('unavailable', `object ${key}: the server stated no size`, { key });
  return { key, sizeBytes, version: versionOf(key, ETag), crc32c: statedCrc32c(key, answer) };
}

function versionOf(key: string, etag: string | undefined): string {
  if (etag !== undefined) return etag;
  throw new TidemarkError('failed_precondition', `object ${key}: the server gives no ETag, which versions need`, {
    key,
  });
}

function otherRange(key: string, found: string | undefined): TidemarkError {
  const message = `object ${key}: the server answered with ${found ?? 'no range'}; use a server that has ranges`;
  return new TidemarkError('failed_precondition', message, { key });
}

function damagedBytes(key: string): TidemarkError {
  const message = `object ${key}: its bytes do not have their CRC-32C; restore it from another copy`;
  return new TidemarkError('data_loss', message, { key });
}
