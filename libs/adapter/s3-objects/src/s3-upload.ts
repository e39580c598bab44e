import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { crc32c as crc32cOf } from '@tidemark/bytes';
import { limitError, TidemarkError } from '@tidemark/ports';
import { toBase64 } from './s3-checksum.ts';
import type { S3Connection } from './s3-connection.ts';
import type { Asked } from './s3-error.ts';

/** Max parts of an upload at Amazon and at the servers that follow it. */
const MAX_PARTS = 10_000;

export interface UploadOptions {
  readonly connection: S3Connection;
  readonly asked: Asked;
  readonly checksums: boolean;
  readonly signal: AbortSignal | undefined;
}

interface UploadTarget {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string;
}

/** An object that is put in parts, one after the other. Nothing of it can be read before `complete`. */
export class S3Upload {
  readonly #options: UploadOptions;
  readonly #target: UploadTarget;
  readonly #parts: CompletedPart[] = [];

  private constructor(options: UploadOptions, target: UploadTarget) {
    this.#options = options;
    this.#target = target;
  }

  static async begin(
    input: CreateMultipartUploadCommandInput & { Bucket: string; Key: string },
    options: UploadOptions,
  ): Promise<S3Upload> {
    const { connection, asked, checksums, signal } = options;
    const type = checksums ? ({ ChecksumAlgorithm: 'CRC32C', ChecksumType: 'FULL_OBJECT' } as const) : {};
    const { UploadId } = await connection.send(new CreateMultipartUploadCommand({ ...input, ...type }), asked, signal);
    if (UploadId === undefined) {
      throw new TidemarkError('unavailable', `the server gave no id for the upload of ${asked.key}`, {
        key: asked.key,
      });
    }
    return new S3Upload(options, { Bucket: input.Bucket, Key: input.Key, UploadId });
  }

  /** Sends a part. All but the last must have 5 MiB; the bytes must not change before it resolves. */
  async put(bytes: Uint8Array): Promise<void> {
    const { connection, asked, checksums, signal } = this.#options;
    const PartNumber = this.#parts.length + 1;
    if (PartNumber > MAX_PARTS) {
      const limit = `${MAX_PARTS} parts of ${connection.limits.partBytes} bytes; set larger parts`;
      throw limitError(`object ${asked.key}`, 'more parts', limit);
    }
    const checksum = checksums ? { ChecksumCRC32C: toBase64(crc32cOf(bytes)) } : {};
    const part = { ...this.#target, PartNumber, Body: bytes, ContentLength: bytes.length, ...checksum };
    const { ETag } = await connection.send(new UploadPartCommand(part), asked, signal);
    this.#parts.push({ PartNumber, ETag, ...checksum });
  }

  /** Makes the object of the parts, and returns its version. Errors: those of the condition. */
  async complete(crc32c: number, condition: { IfNoneMatch?: string; IfMatch?: string }): Promise<string | undefined> {
    const { connection, asked, checksums, signal } = this.#options;
    const checksum = checksums ? ({ ChecksumCRC32C: toBase64(crc32c), ChecksumType: 'FULL_OBJECT' } as const) : {};
    const MultipartUpload = { Parts: this.#parts };
    const command = new CompleteMultipartUploadCommand({ ...this.#target, MultipartUpload, ...checksum, ...condition });
    return (await connection.send(command, asked, signal)).ETag;
  }

  /** Deletes the parts. An error is ignored: a rule of the bucket deletes what is left. */
  async abandon(): Promise<void> {
    const { connection, asked } = this.#options;
    await connection.send(new AbortMultipartUploadCommand(this.#target), asked).catch(() => undefined);
  }
}
