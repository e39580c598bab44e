import type { MethodDefinition } from '@grpc/grpc-js';
import { releaseBytes } from '@tidemark/bytes';
import {
  Batch,
  Definitions,
  type IntakeService,
  LocalRefusals,
  MetricStatements,
  SendRequest,
} from '@tidemark/contract';
import { limitError, type SlicedWork, type Slicing, WorkSlice } from '@tidemark/ports';
import { decodedInPieces, topLevelFields } from '@tidemark/store-rpc';

/** Requests of at most so many bytes are decoded when they arrive. */
const SMALL_BYTES = 16 * 1024;
/** Max bytes of a message that is decoded at once: all but definitions and batches. */
const WHOLE_BYTES = 1024 * 1024;
/** Max fields of one element, such as a series with its tags, which is decoded at once. */
const ELEMENT_FIELDS = 32_768;

/** gRPC puts so many bytes before a message that is not compressed. */
const FRAME_HEADER_BYTES = 5;

/** Bytes of requests that were not decoded when they arrived, by what their handler gets instead. */
const undecoded = new WeakMap<object, Buffer>();

/** The contract of the intake, in which large requests of a stream are not decoded in one piece: see `decodedRequest`. */
export function undecodedRequests(definition: typeof IntakeService): typeof IntakeService {
  const { send } = definition;
  const requestDeserialize: MethodDefinition<SendRequest, unknown>['requestDeserialize'] = (bytes) => {
    if (bytes.length <= SMALL_BYTES) return send.requestDeserialize(bytes);
    const request: SendRequest = { message: undefined };
    undecoded.set(request, bytes);
    return request;
  };
  return { ...definition, send: { ...send, requestDeserialize } };
}

/**
 * Returns a request, which is decoded in slices if it was not when it arrived, once: its bytes are given back then. Throws
 * `invalid_argument` for one that can't be decoded in small pieces.
 */
export async function decodedRequest(request: SendRequest, slicing: Slicing | undefined): Promise<SendRequest> {
  const bytes = undecoded.get(request);
  if (bytes === undefined) return request;
  const decoded = await new WorkSlice(slicing, undefined).finish(decoding(bytes));
  undecoded.delete(request);
  releaseFrame(bytes);
  return decoded;
}

/** Gives the memory of a message back, of which the decoded form has copies, where it is one frame of gRPC. */
function releaseFrame({ buffer, byteOffset, byteLength }: Buffer): void {
  const isFrame = byteOffset === FRAME_HEADER_BYTES && byteOffset + byteLength === buffer.byteLength;
  if (isFrame) releaseBytes(new Uint8Array(buffer));
}

/** Messages whose lists may be long, and others, by their names in `SendRequest`. */
const IN_PIECES = { definitions: Definitions, batch: Batch };
const AT_ONCE = { refusals: LocalRefusals, statements: MetricStatements };
/** Names of the messages by the numbers of their fields. */
const NAMES: Readonly<Record<number, keyof typeof IN_PIECES | keyof typeof AT_ONCE>> = {
  2: 'definitions',
  3: 'batch',
  4: 'refusals',
  5: 'statements',
};

function* decoding(bytes: Buffer): SlicedWork<SendRequest, number> {
  const fields = topLevelFields(bytes);
  const { value: field } = fields.next();
  const name = field && NAMES[field.number];
  // A request has one message: any other form is that of a hello, or wrong.
  if (!field || name === undefined || field.end < bytes.length) {
    checkBytes('message', bytes.length);
    return SendRequest.decode(bytes);
  }
  const message = bytes.subarray(field.valueStart, field.end);
  if (name === 'definitions' || name === 'batch') {
    yield* checkElements(name, message);
    const value = yield* decodedInPieces(IN_PIECES[name], message);
    return { message: { $case: name, value } as SendRequest['message'] };
  }
  checkBytes(name, message.length);
  return { message: { $case: name, value: AT_ONCE[name].decode(message) } as SendRequest['message'] };
}

function checkBytes(field: string, bytes: number): void {
  if (bytes > WHOLE_BYTES) throw limitError(field, `${bytes} bytes`, `${WHOLE_BYTES} bytes`);
}

/** Checks the number of fields of each large element, which is what it costs to decode it. */
function* checkElements(name: string, message: Buffer): SlicedWork<void, number> {
  let fields = 0;
  for (const { valueStart, end } of topLevelFields(message)) {
    if (++fields % SMALL_BYTES === 0) yield SMALL_BYTES;
    if (end - valueStart <= SMALL_BYTES) continue;
    let ofElement = 0;
    for (const _ of topLevelFields(message.subarray(valueStart, end))) {
      if (++ofElement > ELEMENT_FIELDS) {
        throw limitError(name, `more than ${ELEMENT_FIELDS} fields in one element`, `${ELEMENT_FIELDS} fields`);
      }
    }
    yield ofElement;
  }
}
