import { describe, expect, test } from '@jest/globals';
import { isLocalRequest, isLoopbackAddress, isLoopbackHost } from './loopback.ts';

describe('the loopback interface', () => {
  test.each([
    ['127.0.0.1', true],
    ['127.9.9.9:4271', true],
    ['::ffff:127.0.0.1', true],
    ['ipv4:127.0.0.1:55000', true],
    ['ipv6:[::1]:55000', true],
    ['::1', true],
    ['unix:/run/tidemark.sock', true],
    ['10.0.0.1', false],
    ['127.0.0.1.example.com', false],
    ['', false],
  ])('has the address %j: %j', (address, expected) => {
    expect(isLoopbackAddress(address)).toBe(expected);
  });

  test.each([
    ['localhost:4270', true],
    ['metrics.localhost', true],
    ['[::1]:4270', true],
    ['127.0.0.1', true],
    ['localhost.example.com', false],
    ['127.0.0.1.example.com', false],
    ['', false],
  ])('has the host %j: %j', (host, expected) => {
    expect(isLoopbackHost(host)).toBe(expected);
  });

  test('has only requests by a name of this machine, without a proxy', () => {
    const socket = { remoteAddress: '127.0.0.1' };
    expect(isLocalRequest({ headers: { host: 'localhost:4270' }, socket })).toBe(true);
    expect(isLocalRequest({ headers: { host: 'tidemark.example.com' }, socket })).toBe(false);
    expect(isLocalRequest({ headers: { host: 'localhost', 'x-forwarded-for': '10.0.0.1' }, socket })).toBe(false);
    expect(isLocalRequest({ headers: { host: 'localhost' }, socket: { remoteAddress: '10.0.0.1' } })).toBe(false);
    expect(isLocalRequest({ headers: {}, socket: {} })).toBe(false);
  });
});
