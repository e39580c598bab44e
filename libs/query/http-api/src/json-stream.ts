import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { messageOf, systemCode, type WorkSlice } from '@tidemark/ports';
import type { FastifyReply } from 'fastify';

/** Characters that are sent at once. */
const PART_LENGTH = 64 * 1024;

/** A list of an answer whose elements are made, and written, one after the other. */
export class JsonList<T> {
  readonly elements: Iterable<T>;

  constructor(elements: Iterable<T>) {
    this.elements = elements;
  }

  /** Lists what `convert` makes of each element. */
  static of<From, To>(from: Iterable<From>, convert: (one: From, index: number) => To): JsonList<To> {
    return new JsonList({
      *[Symbol.iterator]() {
        let index = 0;
        for (const one of from) yield convert(one, index++);
      },
    });
  }
}

/** Writes a value as `JSON.stringify` does, in pieces: each element of a `JsonList` is one. */
export function* jsonPieces(value: unknown): Generator<string> {
  if (value instanceof JsonList) {
    let separator = '[';
    for (const element of value.elements) {
      yield separator;
      yield* jsonPieces(element);
      separator = ',';
    }
    yield separator === '[' ? '[]' : ']';
  } else if (hasList(value)) {
    let separator = '{';
    for (const [key, inner] of Object.entries(value)) {
      if (inner === undefined) continue;
      yield `${separator}${JSON.stringify(key)}:`;
      yield* jsonPieces(inner);
      separator = ',';
    }
    yield '}';
  } else {
    yield JSON.stringify(value) ?? 'null';
  }
}

function hasList(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).some((inner) => inner instanceof JsonList || hasList(inner));
}

/**
 * Sends a value as JSON, no faster than the caller reads it, and resolves when all has been handed over. A long one is
 * never in memory as a whole, and other work of the thread is done in between. The connection is broken
 * off when the signal of `slice` aborts, and, with an error in the log, when an element cannot be made.
 */
export async function sendJson(reply: FastifyReply, value: unknown, slice: WorkSlice): Promise<FastifyReply> {
  const parts = partsOf(value, slice);
  const first = await parts.next();
  reply.type('application/json; charset=utf-8');
  if (first.done === true || first.value.isLast) return reply.send(first.value?.text ?? 'null');
  const stream = Readable.from(textsOf(first.value.text, parts), { objectMode: false });
  const { signal } = slice;
  reply.send(stream);
  try {
    await finished(stream, { signal });
  } catch (error) {
    const isBrokenOff = signal?.aborted === true || systemCode(error) === 'ERR_STREAM_PREMATURE_CLOSE';
    if (!isBrokenOff) reply.log.error({ error: messageOf(error) }, 'an answer could not be sent whole');
    // The status has been sent: only a broken connection shows that the answer is not whole.
    stream.destroy();
    reply.raw.destroy();
  }
  return reply;
}

interface Part {
  readonly text: string;
  readonly isLast: boolean;
}

async function* partsOf(value: unknown, slice: WorkSlice): AsyncGenerator<Part> {
  let text = '';
  for (const piece of jsonPieces(value)) {
    if (text.length >= PART_LENGTH) {
      yield { text, isLast: false };
      text = '';
    }
    text += piece;
    if (slice.spend(piece.length)) await slice.next();
  }
  yield { text, isLast: true };
}

async function* textsOf(first: string, parts: AsyncIterable<Part>): AsyncGenerator<string> {
  yield first;
  for await (const { text } of parts) yield text;
}
