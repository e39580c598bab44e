import { constants, gunzip, inflate, inflateRaw, zstdDecompress } from 'node:zlib';
import { assert, isTidemarkError, type TidemarkError } from '@tidemark/ports';
import { requestRefusal, tooLarge, tooManyDecoded, wrongBody, wrongHeader } from './request-refusal.ts';

/** Supported codings. Datadog's API client calls zstd `zstd1`. */
const CODINGS = ['identity', 'gzip', 'deflate', 'zstd', 'zstd1'] as const;
type Coding = (typeof CODINGS)[number];

/** Max window: 8 MiB, which every zstd decoder must support (RFC 8878, 3.1.1.1.2). A frame may request gigabytes. */
const ZSTD_PARAMS = { [constants.ZSTD_d_windowLogMax]: 23 };

/** Max zstd frames per body. A body has one frame for each flush of its writer. */
const ZSTD_FRAMES = 256;

/** A body has more bytes than a decoder may return. */
class TooMany extends Error {}

type Decoder = (
  body: Buffer,
  options: { readonly maxOutputLength: number; readonly params?: Record<number, number>; readonly info: true },
  callback: (error: Error | null, result: unknown) => void,
) => void;

/**
 * Removes the content coding of a body. Throws `invalid_argument` for an unknown coding, for bytes that are not valid
 * in the coding, and for more than `limitBytes` decoded bytes, at which decoding stops.
 */
export async function decodeContent(
  body: Buffer,
  contentEncoding: string | undefined,
  limitBytes: number,
): Promise<Buffer> {
  const coding = codingOf(contentEncoding);
  if (coding === 'identity') {
    if (body.length > limitBytes) throw tooManyDecoded(limitBytes, `${body.length} bytes`);
    return body;
  }
  try {
    return await decode(body, coding, limitBytes);
  } catch (error) {
    if (isTidemarkError(error)) throw error;
    const code = codeOf(error);
    if (error instanceof TooMany || code === 'ERR_BUFFER_TOO_LARGE') throw tooManyDecoded(limitBytes);
    if (!/^(Z_|ZSTD_)/.test(code)) throw error;
    const isDamaged = isStart(body, MAGIC[coding]);
    throw wrongBody(
      coding,
      isDamaged ? `damaged ${coding} (${code})` : `not ${coding}, although content-encoding says so`,
    );
  }
}

/** First bytes of a coding: RFC 1952, 2.3.1; RFC 8878, 3.1.1. `deflate` has none that all senders write. */
const MAGIC: Readonly<Record<Exclude<Coding, 'identity'>, readonly number[]>> = {
  gzip: [0x1f, 0x8b],
  deflate: [0x78],
  zstd: [0x28, 0xb5, 0x2f, 0xfd],
  zstd1: [0x28, 0xb5, 0x2f, 0xfd],
};

function isStart(body: Buffer, magic: readonly number[]): boolean {
  return magic.every((byte, at) => body[at] === byte);
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

function codingOf(contentEncoding = 'identity'): Coding {
  const name = contentEncoding.trim().toLowerCase() || 'identity';
  const coding = CODINGS.find((one) => one === name);
  if (coding !== undefined) return coding;
  throw wrongHeader('content-encoding', name, CODINGS.join(', '));
}

async function decode(body: Buffer, coding: Exclude<Coding, 'identity'>, limitBytes: number): Promise<Buffer> {
  switch (coding) {
    case 'gzip':
      // `gunzip` reads all members, and refuses other bytes after them.
      return (await decodeStart(gunzip, body, limitBytes)).content;
    case 'deflate': {
      const { content, usedBytes } = await decodeStart(isZlib(body) ? inflate : inflateRaw, body, limitBytes);
      if (usedBytes < body.length) throw trailingBytes(coding);
      return content;
    }
    default:
      return decodeFrames(body, limitBytes);
  }
}

/** Decodes frame by frame, since the decoder stops after one frame and does not report what follows it. */
async function decodeFrames(body: Buffer, limitBytes: number): Promise<Buffer> {
  const contents: Buffer[] = [];
  let left = limitBytes;
  for (let at = 0; at < body.length || contents.length === 0; ) {
    if (contents.length === ZSTD_FRAMES) throw tooLarge('body', ZSTD_FRAMES, 'too many zstd frames');
    const { content, usedBytes } = await decodeStart(zstdDecompress, body.subarray(at), left, ZSTD_PARAMS);
    if (usedBytes === 0) throw trailingBytes('zstd');
    contents.push(content);
    left -= content.length;
    at += usedBytes;
  }
  return contents.length === 1 ? contents[0] : Buffer.concat(contents);
}

function trailingBytes(coding: string): TidemarkError {
  return requestRefusal('body_malformed', 'body', coding, 'has bytes after the end of the encoded data');
}

interface Decoded {
  readonly content: Buffer;
  /** Bytes of the body up to the end of the decoded frame. */
  readonly usedBytes: number;
}

function decodeStart(
  decoder: Decoder,
  body: Buffer,
  limitBytes: number,
  params: Record<number, number> = {},
): Promise<Decoded> {
  // The decoder takes a limit of 0 as none. The check below finds one byte too many.
  const options = { maxOutputLength: Math.max(1, limitBytes), params, info: true } as const;
  return new Promise((resolve, reject) => {
    decoder(body, options, (error, result) => {
      if (error !== null) return reject(error);
      assert(isDecoded(result), 'the decoder returns its content and itself');
      if (result.buffer.length > limitBytes) reject(new TooMany());
      else resolve({ content: result.buffer, usedBytes: result.engine.bytesWritten });
    });
  });
}

function isDecoded(
  result: unknown,
): result is { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } } {
  return typeof result === 'object' && result !== null && 'buffer' in result && 'engine' in result;
}

/**
 * Returns true for the zlib format, which `deflate` names (RFC 9110, 8.4.1.2). Some clients send it without the zlib
 * header.
 */
function isZlib(body: Buffer): boolean {
  return body.length >= 2 && (body[0] & 0x0f) === 8 && ((body[0] << 8) | body[1]) % 31 === 0;
}
