import { expect, test } from '@jest/globals';
import { NetworkError, ResponseError, TimeoutError, UserError } from '@platformatic/kafka';
import { TidemarkError } from '@tidemark/ports';
import { failureOf, withOutlook } from './kafka-error.ts';

const PRODUCE = 0;
const DOING = 'append to tidemark-points/3 at broker 2 (10.0.0.7:9092)';
const DETAIL = { topic: 'points', partition: 3 };

function refused(code: number): ResponseError {
  return new ResponseError(PRODUCE, 11, { '/': [code, null] }, {});
}

test.each([
  ['NOT_LEADER_OR_FOLLOWER', 6, 'unavailable', { isPassing: true, isStale: true, isNotStored: false }],
  ['REQUEST_TIMED_OUT', 7, 'deadline_exceeded', { isPassing: true, isNotStored: false }],
  ['MESSAGE_TOO_LARGE', 10, 'invalid_argument', { isPassing: false, isNotStored: true }],
  ['NOT_ENOUGH_REPLICAS', 19, 'unavailable', { isPassing: true, isNotStored: true }],
  ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', 20, 'unavailable', { isPassing: true, isNotStored: false }],
  ['TOPIC_AUTHORIZATION_FAILED', 29, 'permission_denied', { isPassing: false }],
  ['OUT_OF_ORDER_SEQUENCE_NUMBER', 45, 'failed_precondition', { isPassing: false }],
  ['INVALID_PRODUCER_EPOCH', 47, 'failed_precondition', { isPassing: false }],
  ['KAFKA_STORAGE_ERROR', 56, 'unavailable', { isPassing: true, isStale: true, isNotStored: false }],
  ['UNKNOWN_PRODUCER_ID', 59, 'failed_precondition', { isPassing: false }],
])('%s', (name, code, expected, outlook) => {
  const failure = failureOf(refused(code), DOING, DETAIL);
  expect(failure).toMatchObject({ ...outlook, error: { code: expected, detail: { ...DETAIL, kafkaError: name } } });
  expect(failure.error.message).toContain(DOING);
  expect(failure.error.message).toContain(name);
  expect(failure.error.cause).toBeInstanceOf(ResponseError);
});

test('an unreachable broker leaves the outcome unknown', () => {
  const gone = new NetworkError('Connection closed');
  const late = new TimeoutError('Request timed out', { canRetry: true });
  expect(failureOf(gone, DOING)).toMatchObject({ isPassing: true, isNotStored: false, error: { code: 'unavailable' } });
  expect(failureOf(late, DOING)).toMatchObject({
    isPassing: true,
    isNotStored: false,
    error: { code: 'deadline_exceeded' },
  });
});

test('errors of TLS and certificates are permanent, and say what to do', () => {
  const certificate = Object.assign(new Error('self-signed certificate'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  const untrusted = failureOf(new NetworkError('Connection to a:1 failed.', { cause: certificate }), DOING);
  expect(untrusted).toMatchObject({ isPassing: false, error: { code: 'failed_precondition' } });
  expect(untrusted.error.message).toMatch(/certificate is not accepted.*DEPTH_ZERO_SELF_SIGNED_CERT/);
  expect(failureOf(new UserError('Broker requires TLS.'), DOING).error.message).toMatch(/no TLS is set/);
});

test('an error of this package keeps its code and outlook, and gets its context once', () => {
  const inner = withOutlook(new TidemarkError('unavailable', 'no broker answers'), { isPassing: true, isStale: true });
  const outer = failureOf(inner, DOING, DETAIL);
  expect(outer).toMatchObject({ isPassing: true, isStale: true, error: { code: 'unavailable', detail: DETAIL } });
  expect(outer.error.message).toBe(`${DOING}: no broker answers`);
  expect(failureOf(outer.error, DOING, DETAIL).error).toBe(outer.error);
  expect(failureOf(new TidemarkError('internal', 'odd'), DOING).isPassing).toBe(false);
});
