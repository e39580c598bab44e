import { expect, test } from '@jest/globals';
import { parseAddress } from './parse-address.ts';

test('an address is host:port, or another target of gRPC', () => {
  for (const right of ['127.0.0.1:4271', 'intake.example:1', '[::1]:65535', 'dns:///a:1', 'unix:/run/a.sock']) {
    expect(parseAddress(right)).toBe(right);
  }
});

test.each([
  ['foo', 'foo is not host:port.'],
  ['foo:0', 'foo:0 is not host:port.'],
  ['foo:65536', 'foo:65536 is not host:port.'],
  ['::1:4271', '::1:4271 is not host:port.'],
  ['', ' is not host:port.'],
  ['http://127.0.0.1:4271/', 'Leave out http://, such as 127.0.0.1:4271.'],
])('the address "%s" is refused with what to write', (wrong, message) => {
  expect(() => parseAddress(wrong)).toThrow(message);
});
