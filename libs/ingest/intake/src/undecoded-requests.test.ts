import { describe, expect, test } from '@jest/globals';
import { IntakeService, SendRequest } from '@tidemark/contract';
import { KIND } from '@tidemark/model';
import type { Slicing } from '@tidemark/ports';
import { decodedRequest, undecodedRequests } from './undecoded-requests.ts';

const { requestDeserialize } = undecodedRequests(IntakeService).send;

/** A request as the service gets it from its bytes. */
function arrived(bytes: Uint8Array): SendRequest {
  return requestDeserialize(Buffer.from(bytes)) as SendRequest;
}

function bytesOf(message: SendRequest['message']): Uint8Array {
  return SendRequest.encode({ message }).finish();
}

function definitions(count: number, tags: readonly string[]): SendRequest['message'] {
  const series = Array.from({ length: count }, (_, i) => ({ metric: `m${i}`, kind: KIND.gauge, tags: [...tags] }));
  return { $case: 'definitions', value: { mapEpoch: 3, partition: 2, firstRef: 7, series } };
}

function batch(count: number): SendRequest['message'] {
  const shares = Array.from({ length: count }, (_, partition) => ({
    partition,
    points: Buffer.alloc(partition % 900, 1),
  }));
  return { $case: 'batch', value: { sequence: 1, mapEpoch: 3, floor: 0, frontierMs: 0, shares, stampedMs: -5 } };
}

const statement = { unit: 'byte', description: 'x'.repeat(30_000) };
const MESSAGES: readonly (readonly [name: string, message: SendRequest['message']])[] = [
  ['a hello', { $case: 'hello', value: { clientSession: Buffer.alloc(16, 1), clientName: 'n'.repeat(20_000) } }],
  ['definitions', definitions(20_000, ['a:b', 'c'])],
  ['a few definitions', definitions(2, ['a:b'])],
  [
    'one large series',
    definitions(
      1,
      Array.from({ length: 5000 }, (_, i) => `tag:${i}`),
    ),
  ],
  ['a batch', batch(1000)],
  ['one large share', batch(1)],
  [
    'refusals',
    { $case: 'refusals', value: { refusals: [], sources: [{ name: 'n'.repeat(20_000), problem: '', sinceMs: 0 }] } },
  ],
  ['statements', { $case: 'statements', value: { metrics: [{ metric: 'm', statement }] } }],
];

describe.each(MESSAGES)('a message with %s', (_, message) => {
  test('is decoded as at once', async () => {
    const bytes = bytesOf(message);
    const found = await decodedRequest(arrived(bytes), undefined);
    expect(Buffer.from(SendRequest.encode(found).finish()).equals(Buffer.from(bytes))).toBe(true);
    expect(found.message?.$case).toBe(message?.$case);
  });

  test('that is cut off is refused', async () => {
    const bytes = bytesOf(message);
    const cut = async () => decodedRequest(arrived(bytes.subarray(0, bytes.length - 1)), undefined);
    await expect(cut()).rejects.toThrow();
  });
});

test('a frame of gRPC is given back once it was decoded, memory of others is not', async () => {
  const message = bytesOf(batch(1000));
  const frame = Buffer.allocUnsafeSlow(5 + message.length);
  frame.set(message, 5);
  const found = await decodedRequest(requestDeserialize(frame.subarray(5)) as SendRequest, undefined);
  expect(frame.length).toBe(0);
  expect(Buffer.from(bytesOf(found.message)).equals(Buffer.from(message))).toBe(true);
  const larger = Buffer.allocUnsafeSlow(6 + message.length);
  larger.set(message, 5);
  await decodedRequest(requestDeserialize(larger.subarray(5, 5 + message.length)) as SendRequest, undefined);
  expect(larger.length).toBe(6 + message.length);
});

test('large definitions are decoded in slices', async () => {
  let turns = 0;
  let nowMs = 0;
  const yieldTurn = async () => void turns++;
  // Each check of the clock finds that the slice has ended.
  const slicing: Slicing = { clock: { monotonicMs: () => (nowMs += 100) }, yieldTurn };
  await decodedRequest(arrived(bytesOf(definitions(2000, Array<string>(200).fill('')))), slicing);
  expect(turns).toBeGreaterThan(20);
});

const TOO_LARGE: readonly (readonly [name: string, field: string, message: SendRequest['message']])[] = [
  ['a series', 'definitions', definitions(1, Array<string>(40_000).fill(''))],
  ['a hello', 'message', { $case: 'hello', value: { clientSession: Buffer.alloc(2 << 20), clientName: '' } }],
  ['a name', 'statements', { $case: 'statements', value: { metrics: [{ metric: 'm'.repeat(2 << 20), statement }] } }],
];

test.each(TOO_LARGE)('a message with too large a part (%s) is refused by %s', async (_, field, message) => {
  await expect(decodedRequest(arrived(bytesOf(message)), undefined)).rejects.toMatchObject({
    ...{ code: 'invalid_argument', detail: { field } },
  });
});

test('a request with several messages has the last of them, as at once', async () => {
  const bytes = Buffer.concat([bytesOf(definitions(900, ['a:b'])), bytesOf(batch(3))]);
  expect(await decodedRequest(arrived(bytes), undefined)).toEqual(SendRequest.decode(bytes));
});
