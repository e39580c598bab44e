import { expect, test } from '@jest/globals';
import { connectionRefusal, rawAnswer } from './raw-answer.ts';

test('the answer of a connection that is closed for a new one says why, and when to retry', () => {
  const body = '{"errors":["connections: limit × 4; retry"],"code":"unavailable","detail":{}}';
  expect(connectionRefusal('limit × 4')).toBe(
    [
      'HTTP/1.1 503 Service Unavailable',
      'connection: close',
      'retry-after: 1',
      'x-ratelimit-reset: 1',
      'content-type: application/json',
      'content-length: 78',
      '',
      body,
    ].join('\r\n'),
  );
});

test('an answer that a sender must not repeat has no time of a retry', () => {
  const answer = rawAnswer(400, { message: 'no', code: 'invalid_argument', detail: { field: 'request' } });
  expect(answer).toContain('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: application/json\r\n');
  expect(answer).toContain('{"errors":["no"],"code":"invalid_argument","detail":{"field":"request"}}');
});
