import { expect, test } from '@jest/globals';
import { listenError } from './listen-error.ts';

test('a port that is taken is named with the setting that chooses another', () => {
  const inUse = Object.assign(new Error('listen'), { code: 'EADDRINUSE' });
  expect(listenError('HTTP', '127.0.0.1', 8080, inUse)).toMatchObject({
    ...{ code: 'unavailable', message: 'HTTP port 8080 on 127.0.0.1 is in use by another program' },
    detail: { setting: 'http.port', port: 8080 },
  });
});

test('any other failure is told by its code, or by its message', () => {
  const denied = Object.assign(new Error('listen'), { code: 'EACCES' });
  expect(listenError('gRPC', '::', 80, denied).message).toBe("gRPC port 80 on :: can't be taken: EACCES");
  expect(listenError('gRPC', '::', 80, new Error('no address')).message).toContain("can't be taken: no address");
});
