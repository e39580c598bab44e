import { expect, test } from '@jest/globals';
import { isStaleMarker, STALE_MARKER } from './stale-marker.ts';

test('one NaN is the stale marker, also after columns and buffers have held it', () => {
  const column = new Float64Array([1, STALE_MARKER, Number.NaN]);
  const copied = new Float64Array(3);
  copied.set(column);
  const buffer = Buffer.alloc(8);
  buffer.writeDoubleLE(copied[1]);
  expect(['020000000000f07f', '020000000000f87f']).toContain(buffer.toString('hex'));
  expect([...copied, buffer.readDoubleLE(0)].map(isStaleMarker)).toEqual([false, true, false, true]);
  const markers = new Float64Array(BigUint64Array.of(0x7ff0000000000002n, 0x7ff8000000000002n).buffer);
  expect([...markers].map(isStaleMarker)).toEqual([true, true]);
  const other = new Float64Array(BigUint64Array.of(0x7ff8000000000003n, 0xfff0000000000002n).buffer);
  expect([...other, Number.POSITIVE_INFINITY, 0].map(isStaleMarker)).toEqual([false, false, false, false]);
});
