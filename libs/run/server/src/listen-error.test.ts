import { expect, test } from '@jest/globals';
import { listenError } from './listen-error.ts';

test('the error of a port in use names the setting that chooses another', () => {
  const inUse = Object.assign(new Error('listen'), { code: 'EADDRINUSE' });
  expect(listenError('HTTP', '127.0.0.1', 8080, inUse)).toMatchObject({
    ...{ code: 'unavailable', message: 'HTTP port 8080 on 127.0.0.1 is in use by another program' },
    detail: { setting: 'http.port', port: 8080 },
  });
});

test('the error of any other failure has its code, or its message', () => {
  const denied = Object.assign(new Error('listen'), { code: 'EACCES' });
  expect(listenError('gRPC', '::', 80, denied).message).toBe("gRPC port 80 on :: can't be opened: EACCES");
  expect(listenError('gRPC', '::', 80, new Error('no address')).message).toContain("can't be opened: no address");
});
