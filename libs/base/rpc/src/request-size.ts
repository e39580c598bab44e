import type { ServiceDefinition } from '@grpc/grpc-js';
import { TidemarkError } from '@tidemark/ports';

/** Sizes of requests that were too large to be decoded, by what their handlers get instead. */
const refused = new WeakMap<object, { readonly bytes: number; readonly limit: number }>();

/**
 * The definition of a service whose requests have at most `limit` bytes. A larger one is not decoded, which would take the
 * thread from all other callers: `checkRequestSize` throws when its handler is called.
 */
export function withRequestLimit<Definition extends ServiceDefinition>(
  definition: Definition,
  limit: number,
): Definition {
  const methods = Object.entries(definition).map(([name, method]) => {
    const requestDeserialize = (bytes: Buffer): unknown => {
      if (bytes.length <= limit) return method.requestDeserialize(bytes);
      const request = method.requestDeserialize(Buffer.alloc(0)) as object;
      refused.set(request, { bytes: bytes.length, limit });
      return request;
    };
    return [name, { ...method, requestDeserialize }];
  });
  return Object.fromEntries(methods);
}

/** Throws `resource_exhausted` for a request that was too large to be decoded. */
export function checkRequestSize(request: unknown): void {
  const size = typeof request === 'object' && request !== null ? refused.get(request) : undefined;
  if (size === undefined) return;
  const { bytes, limit } = size;
  throw new TidemarkError('resource_exhausted', `the request has ${bytes} bytes (limit: ${limit})`, {
    field: 'request',
    bytes,
    limit,
  });
}
