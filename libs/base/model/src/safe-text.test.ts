import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { csvCell, printable, printableLines } from './safe-text.ts';

const RAW = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

describe('printable text', () => {
  test('characters that would be invisible or reorder the text are escaped, and all others stay', () => {
    expect(printable('a\nb\tc\u0007\u202e\u2028')).toBe('a\\nb\\tc\\u0007\\u202e\\u2028');
    expect(printable('\u007f\u0080\u009b31m\u009f\u2066\ud800')).toBe('\\u007f\\u0080\\u009b31m\\u009f\\u2066\\ud800');
    expect(printable('path:/a b/ü/日本/😀 <b>&\\')).toBe('path:/a b/ü/日本/😀 <b>&\\');
  });

  test('lines stay lines, and JSON stays the same data', () => {
    expect(printableLines('a\nb\u009b\r')).toBe('a\nb\\u009b\\r');
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const json = printableLines(JSON.stringify({ text }, undefined, 2));
        expect(json.replaceAll('\n', '')).not.toMatch(RAW);
        expect(JSON.parse(json)).toEqual({ text });
      }),
    );
  });
});

describe('a cell of CSV', () => {
  test.each(['=1+1', '+cmd', '-1+cmd()', '-cmd', '@sum(a)', '\t=1', '\r=1', '＝1', '-1e5x', '--1', '+', '-'])(
    '%j does not run as a formula',
    (text) => {
      expect(csvCell(text).replaceAll('"', '')).toMatch(/^'/);
    },
  );

  test.each(['-5', '+5', '0.5', '-.5', '-1.5e-7', '1e+21', '', 'a=b', 'NaN'])('%j stays as it is', (text) => {
    expect(csvCell(text)).toBe(text);
  });

  test('commas and quotes are quoted, and no character is raw', () => {
    expect(csvCell('a,"b"')).toBe('"a,""b"""');
    expect(csvCell('a\r\nb')).toBe('a\\r\\nb');
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => expect(csvCell(text)).not.toMatch(RAW)));
  });
});
