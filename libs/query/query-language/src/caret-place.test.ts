import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type CaretPlace, caretPlace } from './completion.ts';

/** The place at the `|` of a text. */
function at(marked: string): CaretPlace | undefined {
  const caret = marked.indexOf('|');
  return caretPlace(marked.replace('|', ''), caret);
}

/** Type of the place, what is typed, and the range that a completion replaces. */
function brief(marked: string): string {
  const found = at(marked);
  if (found === undefined) return 'nothing';
  const replaced = marked.replace('|', '').slice(found.from, found.to);
  return `${found.place.type} "${found.typed}" of "${replaced}" ${found.metric}`.trim();
}

test.each([
  ['|', 'operand "" of ""'],
  ['sys|', 'operand "sys" of "sys"'],
  ['avg:|', 'metric "" of ""'],
  ['avg:system.cp|', 'metric "system.cp" of "system.cp"'],
  ['avg:system.cp|u.user{*}', 'metric "system.cp" of "system.cpu.user"'],
  ['avg:"my met|', 'metric "my met" of ""my met"'],
  ['avg:"my met|ric"{*}', 'metric "my met" of ""my metric""'],
  ['avg:web.load{|', 'tag "" of "" web.load'],
  ['avg:web.load{|}', 'tag "" of "" web.load'],
  ['avg:web.load{env:pr|od} by {host}', 'tag "env:pr" of "env:prod" web.load'],
  ['avg:web.load{env:"a b|', 'tag "env:a b" of "env:"a b" web.load'],
  ['avg:web.load{env:prod,!ho|}', 'tag "ho" of "ho" web.load'],
  ['avg:web.load{env:prod AND (|', 'tag "" of "" web.load'],
  ['avg:web.load{env IN (prod, st|)}', 'value "st" of "st" web.load'],
  ['avg:web.load{*} |', 'by "" of "" web.load'],
  ['avg:web.load{*} b|', 'by "b" of "b" web.load'],
  ['avg:web.load{*} by {ho|}', 'key "ho" of "ho" web.load'],
  ['avg:web.load{*} by {host,|}', 'key "" of "" web.load'],
  ['avg:web.load{*}.|', 'suffix "" of "" web.load'],
  ['avg:web.load{*}.as_|rate()', 'suffix "as_" of "as_rate" web.load'],
  ['avg:web.load{*}.rollup(|', 'choice "" of "" web.load'],
  ["top(avg:web.load{*}, 10, 'me|", 'choice "me" of "\'me" web.load'],
  ['avg:web.load{*} / avg:web.|', 'metric "web." of "web." web.load'],
  ['100 * (su|', 'operand "su" of "su"'],
  ['max(avg:web.load{*} by {host}) by {|}', 'key "" of "" web.load'],
  ['avg:web.load{*}|', 'by "" of "" web.load'],
])('%s', (marked, expected) => expect(brief(marked)).toBe(expected));

test.each([
  'avg:web.load{*} bye |',
  'average:|',
  '100|',
  'avg:web.load{*}}}|',
  'top(avg:web.load{*}, |',
  'avg:web.load{$env} by {|',
])('nothing is known at %s', (marked) => expect(at(marked)).toBeUndefined());

test('the choices are those of the place', () => {
  const choices = (marked: string): readonly string[] => {
    const place = at(marked)?.place;
    return place !== undefined && 'choices' in place ? place.choices : [];
  };
  expect(choices('avg:a{*}.|')).toEqual(['rollup', 'as_rate', 'as_count', 'fill', 'weighted']);
  expect(choices('avg:a{*}.fill(|')).toEqual(['linear', 'last', 'zero', 'null']);
  expect(choices('avg:a{*}.rollup(|')).toEqual(expect.arrayContaining(['points', 'daily']));
  expect(choices('avg:a{*}.rollup(sum, |')).toEqual(['daily', 'weekly', 'monthly']);
  expect(choices('top(avg:a{*}, 5, |')).toEqual(expect.arrayContaining(['mean', 'l2norm']));
  expect(at('avg:a{env in (|')?.place).toEqual({ type: 'value', key: 'env' });
});

test('no text and no caret breaks it, and the range is in the text around the caret', () => {
  const piece = fc.constantFrom(
    'avg:',
    'web.load',
    '{',
    '}',
    ' by ',
    '"',
    "'",
    '$x',
    '.rollup(',
    ',',
    'env:',
    '\\',
    'ü',
    ' ',
  );
  const text = fc.oneof(
    fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
    fc.string({ unit: 'binary', maxLength: 20 }),
  );
  fc.assert(
    fc.property(text, fc.nat(40), (query, place) => {
      const caret = Math.min(place, query.length);
      const found = caretPlace(query, caret);
      if (found === undefined) return;
      expect(found.from).toBeLessThanOrEqual(caret);
      expect(found.to).toBeGreaterThanOrEqual(caret);
      expect(found.to).toBeLessThanOrEqual(query.length);
    }),
  );
});
