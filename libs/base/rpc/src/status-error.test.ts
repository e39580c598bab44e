import { Metadata, status } from '@grpc/grpc-js';
import { describe, expect, test } from '@jest/globals';
import { ERROR_CODES, TidemarkError } from '@tidemark/ports';
import { fromGrpcError, grpcError, toGrpcError } from './index.ts';

describe('gRPC statuses', () => {
  test('every code is encoded and decoded with message and detail', () => {
    for (const code of ERROR_CODES) {
      const error = new TidemarkError(code, `what went wrong: ${code}`, { field: 'to_ms', limit: 7, ok: false });
      const back = fromGrpcError(toGrpcError(error));
      expect(back).toMatchObject({ code, message: error.message, detail: error.detail });
    }
  });

  test('a detail that is too long is omitted, and the error is sent', () => {
    const error = new TidemarkError('invalid_argument', 'no', { caret: 'x'.repeat(5000) });
    expect(fromGrpcError(toGrpcError(error))).toMatchObject({ code: 'invalid_argument', detail: {} });
  });

  test('an unknown status or detail of another program is accepted', () => {
    expect(fromGrpcError(grpcError(status.UNKNOWN, 'what?')).code).toBe('internal');
    for (const hostile of ['{', '[1]', 'null', '{"a":{"b":1},"c":2}']) {
      const metadata = new Metadata();
      metadata.set('tidemark-detail-bin', Buffer.from(hostile));
      const { code, detail } = fromGrpcError(grpcError(status.UNAVAILABLE, 'away', metadata));
      expect(code).toBe('unavailable');
      expect(detail).toEqual(hostile.includes('"c"') ? { c: 2 } : {});
    }
    expect(toGrpcError(new Error('boom'))).toMatchObject({ code: status.INTERNAL, details: 'boom' });
  });
});
