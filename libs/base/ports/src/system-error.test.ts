import { expect, test } from '@jest/globals';
import { isAddressInUse, systemCode } from './system-error.ts';

function failed(code: string | number): Error {
  return Object.assign(new Error('failed'), { code });
}

test('the code of an error is its own, or undefined', () => {
  expect(systemCode(failed('EACCES'))).toBe('EACCES');
  expect(systemCode(failed(-98))).toBe('-98');
  for (const none of [new Error('EACCES'), undefined, null, 'EACCES']) expect(systemCode(none)).toBeUndefined();
});

test('isAddressInUse accepts the name, the number, and the message of grpc-js', () => {
  for (const code of ['EADDRINUSE', -98, '-48']) expect(isAddressInUse(failed(code))).toBe(true);
  const message =
    'No address added out of total 1 resolved errors: [listen EADDRINUSE: address already in use ::1:4271]';
  expect(isAddressInUse(new Error(message))).toBe(true);
  for (const other of [failed('EACCES'), new Error('no'), undefined]) expect(isAddressInUse(other)).toBe(false);
});
