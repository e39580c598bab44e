import { expect, test } from '@jest/globals';
import { type Asked, s3Error } from './s3-error.ts';

const PLACE = { bucket: 'b', prefix: 'p/', endpoint: 'http://h:1' };
const READ: Asked = { what: 'read', key: 'a.b' };
const ABSENT: Asked = { what: 'put', key: 'a.b', condition: 'absent' };
const VERSION: Asked = { what: 'put', key: 'a.b', condition: 'version' };

test('errors of the system, of servers and by status alone have the codes of the port', () => {
  const cases: [object, Asked, string][] = [
    [{ name: 'Error', code: 'ECONNREFUSED' }, READ, 'unavailable'],
    [{ name: 'SlowDown', $metadata: { httpStatusCode: 503 } }, READ, 'unavailable'],
    [{ name: 'Unknown', $metadata: { httpStatusCode: 500 } }, READ, 'unavailable'],
    [{ name: 'NoSuchKey', $metadata: { httpStatusCode: 404 } }, READ, 'not_found'],
    [{ name: 'NoSuchKey', $metadata: { httpStatusCode: 404 } }, VERSION, 'failed_precondition'],
    [{ name: 'NoSuchBucket', $metadata: { httpStatusCode: 404 } }, READ, 'failed_precondition'],
    [{ name: 'PreconditionFailed', $metadata: { httpStatusCode: 412 } }, ABSENT, 'already_exists'],
    [{ name: 'PreconditionFailed', $metadata: { httpStatusCode: 412 } }, VERSION, 'failed_precondition'],
    [{ name: 'ConditionalRequestConflict', $metadata: { httpStatusCode: 409 } }, VERSION, 'aborted'],
    [{ name: '403', $metadata: { httpStatusCode: 403 } }, READ, 'permission_denied'],
    [{ name: '301', $metadata: { httpStatusCode: 301 } }, READ, 'failed_precondition'],
    [{ name: 'CredentialsProviderError' }, READ, 'permission_denied'],
    [{ name: 'XAdminUserNotFound', $metadata: { httpStatusCode: 404 } }, READ, 'permission_denied'],
    [{ name: 'InvalidRange', $metadata: { httpStatusCode: 416 } }, READ, 'out_of_range'],
    [{ name: 'MalformedXML', $metadata: { httpStatusCode: 400 } }, READ, 'failed_precondition'],
    [{ name: 'constructor' }, READ, 'unavailable'],
  ];
  for (const [error, asked, code] of cases) expect([error, s3Error(error, asked, PLACE).code]).toEqual([error, code]);
  for (const thrown of [undefined, null, 'text']) expect(s3Error(thrown, READ, PLACE).code).toBe('unavailable');
});

test('a message says what failed, where, why, and after how many attempts', () => {
  const error = { name: 'Error', code: 'ECONNREFUSED', $metadata: { attempts: 4 } };
  expect(s3Error(error, READ, PLACE).message).toBe(
    'cannot read object a.b in s3://b/p/ at http://h:1: the connection was refused; check the endpoint and whether the server runs (ECONNREFUSED, 4 attempts)',
  );
  expect(s3Error({ name: 'AbortError' }, { what: 'list', key: 'a/' }, PLACE, 500).message).toContain(
    'cannot list objects a/* in s3://b/p/ at http://h:1: the server did not answer in time; check it and the network (AbortError, after 500 ms)',
  );
});
