import { expect, test } from '@jest/globals';
import { utf8Text } from './utf8-text.ts';

test('a replacement character that was sent is kept, and bytes that are not UTF-8 give no well-formed text', () => {
  for (const text of ['', 'a\nb', 'grüße \ufffd', '\u0000\u{1f600}']) expect(utf8Text(Buffer.from(text))).toBe(text);
  for (const bytes of [[0xff], [0x61, 0xc3], [0xed, 0xa0, 0x80], [0xef, 0xbf, 0xbd, 0xfe]]) {
    expect(utf8Text(Uint8Array.from(bytes)).isWellFormed()).toBe(false);
  }
});
