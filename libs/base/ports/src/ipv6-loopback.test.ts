import { expect, test } from '@jest/globals';
import { ipv6LoopbackFor, ipv6LoopbackProblem } from './ipv6-loopback.ts';

test('a server that serves 127.0.0.1 also listens on ::1, any other host is left as it is', () => {
  expect(['127.0.0.1', '0.0.0.0'].map(ipv6LoopbackFor)).toEqual(['::1', '::1']);
  for (const host of ['::1', '::', 'localhost', '10.0.0.1', '127.0.0.2']) expect(ipv6LoopbackFor(host)).toBeUndefined();
});

test('the message says what clients at ::1 reach, and names the reason', () => {
  const failed = (code: string): Error => Object.assign(new Error('failed'), { code });
  expect(ipv6LoopbackProblem('HTTP', 80, failed('EADDRINUSE'))).toBe(
    'HTTP port 80 on ::1 is in use by another program: clients that resolve localhost to ::1 reach that program',
  );
  expect(ipv6LoopbackProblem('gRPC', 81, failed('EADDRNOTAVAIL'))).toMatch(
    /^gRPC port 81 on ::1 .*EADDRNOTAVAIL.*no IPv6/,
  );
});
