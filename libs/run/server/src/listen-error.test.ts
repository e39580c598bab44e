import { expect, test } from '@jest/globals';
import { listenError } from './listen-error.ts';

test('the error of a port in use names the setting that chooses another', () => {
  const inUse = Object.assign(new Error('listen'), { code: 'EADDRINUSE' });
  expect(listenError('HTTP', '127.0.0.1', 8080, inUse)).toMatchObject({
    ...{ code: 'unavailable', message: 'HTTP port 8080 on 127.0.0.1 is in use by another program' },
    detail: { setting: 'http.port', port: 8080 },
  });
});

test.each([
  ['EADDRNOTAVAIL', 'cannot listen on 10.0.0.1: it is not an address of this machine'],
  ['ENOTFOUND', 'cannot listen on 10.0.0.1: it is not a known name'],
])('%s is an error of the host, and not of the port', (code, message) => {
  const error = listenError('HTTP', '10.0.0.1', 8080, Object.assign(new Error('listen'), { code }));
  expect(error).toMatchObject({ message, detail: { setting: 'listen.host' } });
});

test('the error of any other failure has its code, or its message', () => {
  const denied = Object.assign(new Error('listen'), { code: 'EACCES' });
  expect(listenError('gRPC', '::', 80, denied).message).toMatch(
    /^gRPC port 80 on :: can't be opened: this user may not .*below 1024/,
  );
  expect(listenError('gRPC', '::', 80, new Error('no address')).message).toContain("can't be opened: no address");
});
