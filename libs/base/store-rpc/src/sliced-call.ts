import type { MethodDefinition } from '@grpc/grpc-js';
import { type Slicing, slicingOf, WorkSlice } from '@tidemark/ports';
import { decodedInPieces, encodedInPieces } from './message-pieces.ts';
import { asBuffer } from './store-service.ts';
import { topLevelFields, varint } from './top-level-fields.ts';

type Definition = MethodDefinition<unknown, unknown>;

/**
 * Calls a method by `send`, which transports bytes; encodes the request and decodes the reply in slices of the request's
 * tenant. A signal that aborts ends this work too.
 */
export async function callInSlices(
  { requestSerialize, requestDeserialize, responseDeserialize }: Definition,
  request: unknown,
  slicing: Slicing | undefined,
  signal: AbortSignal | undefined,
  send: (bytes: Buffer) => Promise<Uint8Array>,
): Promise<unknown> {
  const own = slicingOf(slicing, (request as { readonly tenant?: string }).tenant);
  const slice = new WorkSlice(own, signal);
  const asked = { encode: requestSerialize, decode: requestDeserialize };
  const reply = await send(await slice.finish(encodedInPieces(asked, request)));
  // The slice has ended meanwhile: a long reply is decoded in other turns.
  return slice.finish(decodedInPieces({ decode: responseDeserialize }, asBuffer(reply)));
}

/** Answers a request in bytes by `answer`; decodes the request and encodes the reply in the slices of a slicing. */
export async function answerInSlices(
  { requestDeserialize, responseSerialize, responseDeserialize }: Definition,
  bytes: Uint8Array,
  slicing: Slicing | undefined,
  signal: AbortSignal | undefined,
  answer: (request: unknown) => unknown,
): Promise<Buffer> {
  const slice = new WorkSlice(slicing, signal);
  const asked = await slice.finish(decodedInPieces({ decode: requestDeserialize }, asBuffer(bytes)));
  const reply = await answer(asked);
  return slice.finish(encodedInPieces({ encode: responseSerialize, decode: responseDeserialize }, reply));
}

/** Numbers of the fields that requests to a partition have in common. */
const PARTITION = 1;
const TENANT = 2;
const VARINT = 0;
const DELIMITED = 2;

/** The partition of an encoded request of a partition's method, and the tenant for whom it asks, if it is of one. */
export function requestedPartition(request: Uint8Array): { readonly partition: number; readonly tenant?: string } {
  let partition = 0;
  let tenant: string | undefined;
  for (const { number, wireType, valueStart, end } of topLevelFields(request)) {
    // Fields are written in the order of their numbers.
    if (number > TENANT) break;
    const value = request.subarray(valueStart, end);
    if (number === PARTITION && wireType === VARINT) [partition] = varint(value, 0);
    if (number === TENANT && wireType === DELIMITED) tenant = asBuffer(value).toString();
  }
  return tenant === undefined ? { partition } : { partition, tenant };
}
