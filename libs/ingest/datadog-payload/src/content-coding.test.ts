import { constants, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { decodeContent } from './content-coding.ts';

const text = Buffer.from('{"series":[]}'.repeat(1000));
const CODINGS = [
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  ['deflate', deflateRawSync],
  ['zstd', (body: Buffer) => zstdCompressSync(body)],
  ['zstd1', (body: Buffer) => zstdCompressSync(body)],
  [' GZip ', gzipSync],
  ['identity', (body: Buffer) => body],
  ['', (body: Buffer) => body],
  [undefined, (body: Buffer) => body],
] as const;

describe.each(CODINGS)('%s', (coding, encode) => {
  test('decoding returns the original body', async () => {
    expect((await decodeContent(encode(text), coding, text.length)).equals(text)).toBe(true);
  });

  test('one byte above the limit is refused with the name of the limit', async () => {
    await expect(decodeContent(encode(text), coding, text.length - 1)).rejects.toMatchObject({
      code: 'invalid_argument',
      detail: { reason: 'body_too_large', field: 'body', limit: text.length - 1 },
    });
  });
});

describe.each(CODINGS.slice(0, 5))('%s', (coding, encode) => {
  test('a truncated, damaged or differently encoded body is refused', async () => {
    const good = encode(text);
    for (const bad of [good.subarray(0, good.length - 5), good.subarray(3), text, Buffer.alloc(0), Buffer.alloc(9)]) {
      await expect(decodeContent(bad, coding, 1 << 20)).rejects.toMatchObject({
        code: 'invalid_argument',
        detail: { reason: 'body_malformed', field: 'body', limit: coding },
      });
    }
  });

  test('a bomb of 128 MiB is refused at the limit of 1 MiB, without memory for the rest', async () => {
    const bomb = encode(Buffer.alloc(128 << 20));
    expect(bomb.length).toBeLessThan(1 << 20);
    const before = process.memoryUsage().rss;
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss);
    }, 1);
    await expect(decodeContent(bomb, coding, 1 << 20)).rejects.toMatchObject({ detail: { reason: 'body_too_large' } });
    clearInterval(watch);
    most = Math.max(most, process.memoryUsage().rss);
    expect(most - before).toBeLessThan(48 << 20);
  });
});

test('a zstd body may have several frames and a gzip body several members, and their sum counts', async () => {
  const parts = [text, Buffer.alloc(0), Buffer.from('x'), text];
  const whole = Buffer.concat(parts);
  const skippable = Buffer.from('502a4d1804000000deadbeef', 'hex');
  const frames = Buffer.concat([skippable, ...parts.map((part) => zstdCompressSync(part))]);
  const members = Buffer.concat(parts.map((part) => gzipSync(part)));
  for (const [body, coding] of [
    [frames, 'zstd'],
    [members, 'gzip'],
  ] as const) {
    expect((await decodeContent(body, coding, whole.length)).equals(whole)).toBe(true);
    await expect(decodeContent(body, coding, whole.length - 1)).rejects.toMatchObject({
      detail: { reason: 'body_too_large', limit: expect.any(Number) },
    });
  }
  const many = Buffer.concat(Array.from({ length: 257 }, () => zstdCompressSync(Buffer.alloc(0))));
  await expect(decodeContent(many, 'zstd', 1)).rejects.toMatchObject({
    detail: { reason: 'body_too_large', limit: 256 },
  });
});

test.each([
  ['gzip', gzipSync(text)],
  ['deflate', deflateSync(text)],
  ['deflate', deflateRawSync(text)],
  ['zstd', zstdCompressSync(text)],
])('bytes after the end of %s are refused', async (coding, encoded) => {
  const body = Buffer.concat([encoded, Buffer.from('more')]);
  await expect(decodeContent(body, coding, 1 << 20)).rejects.toMatchObject({ detail: { reason: 'body_malformed' } });
});

test('a zstd frame may not ask for a window beyond 8 MiB', async () => {
  const noise = Buffer.alloc(100);
  const wide = zstdCompressSync(noise, {
    params: { [constants.ZSTD_c_windowLog]: 27, [constants.ZSTD_c_contentSizeFlag]: 0 },
    pledgedSrcSize: undefined,
  });
  // Magic, a frame header without a content size, a window descriptor of 2 ^ (10 + 17) bytes, then an empty block.
  const asked = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 17 << 3, 0x01, 0x00, 0x00]);
  await expect(decodeContent(asked, 'zstd', 1 << 20)).rejects.toMatchObject({
    detail: { reason: 'body_malformed' },
  });
  expect((await decodeContent(wide, 'zstd', 1 << 20)).equals(noise)).toBe(true);
});

test.each(['br', 'compress', 'gzip, gzip', 'gzip;q=1', 'x'])('%j is not a supported coding', async (coding) => {
  await expect(decodeContent(text, coding, 1 << 20)).rejects.toMatchObject({
    code: 'invalid_argument',
    detail: { reason: 'content_encoding', field: 'content-encoding', limit: expect.any(String) },
  });
});
