import { isTidemarkError, TidemarkError } from '@tidemark/ports';
import { uncompressSync } from 'snappy';
import { malformed } from './write-error.ts';

/**
 * Uncompresses a body in Snappy's block format. The length that it claims is checked before memory is taken for it.
 * Throws `invalid_argument`, with reason `raw_too_large` when it is beyond `rawBytes`.
 */
export function uncompressBody(body: Uint8Array, rawBytes: number): Buffer {
  const claimed = claimedLength(body);
  if (claimed > rawBytes) {
    const message = `rawBytes: ${claimed} bytes uncompressed (limit: ${rawBytes} bytes)`;
    throw new TidemarkError('invalid_argument', message, {
      reason: 'raw_too_large',
      field: 'rawBytes',
      limit: rawBytes,
    });
  }
  let raw: Buffer | string;
  try {
    // Copied into memory of V8's own: a buffer of the binding's is mapped anew for each body, and costs three times as much.
    raw = uncompressSync(body, { asBuffer: true, copyOutputData: true });
  } catch (error) {
    if (isTidemarkError(error)) throw error;
    throw malformed('snappy', error instanceof Error ? error.message : String(error));
  }
  if (typeof raw === 'string' || raw.length !== claimed) throw malformed('snappy', 'the length is not as claimed');
  return raw;
}

/** The block format begins with the uncompressed length, a varint of 32 bits. */
function claimedLength(body: Uint8Array): number {
  let length = 0;
  for (let i = 0; i < 5; i++) {
    if (i >= body.length) break;
    length += (body[i] & 0x7f) * 2 ** (7 * i);
    if (body[i] < 0x80) return length;
  }
  throw malformed('snappy', 'no length in front');
}
