import { expect, test } from '@jest/globals';
import { findWords } from './find-words.ts';

const CODE = 'libs/a/b/src/c.ts';

function found(path: string, source: string): string[] {
  return findWords(path, source).map(({ line, kind, word }) => `${line} ${kind} ${word}`);
}

test('strings, templates and comments of code are read, each at its line', () => {
  const source = [
    '// Nobody asks.',
    "const a = 'told of it';",
    'const b = `one V{"goes on" + `of V{a} nobody`} and'.replaceAll('V', '$'),
    'anew`;',
    "const c = /told of 'nobody/; const d = 'anew it is';",
  ].join('\n');
  expect(found(CODE, source)).toEqual([
    '1 comment nobody',
    '2 message told',
    '3 message go on',
    '3 message nobody',
    '4 message anew',
    '5 message anew',
  ]);
});

test('a phrase over two lines of a comment is found where it begins', () => {
  expect(found(CODE, ['', '// The store lets', '// go of it.'].join('\n'))).toEqual(['2 comment let go']);
});

test('a string without a space is a key, and passes', () => {
  expect(found(CODE, "const a = { 'told': 'nobody' };")).toEqual([]);
});

test('code in backticks passes', () => {
  expect(found(CODE, '/** Reads `toldOf` and `nobody`. */')).toEqual([]);
  expect(found('docs/README.md', 'Run `npm run told`.\n\n```sh\nnobody goes on\n```\n[a](nobody.md)')).toEqual([]);
});

test('a page of documentation is read at its lines', () => {
  expect(found('docs/README.md', '# A\n\nOne `x` is\ntold.\n')).toEqual(['4 docs told']);
});

test('comments of protos have a kind of their own', () => {
  expect(found('proto/tidemark/v1/a.proto', '// Told of it.\nmessage Nobody {}')).toEqual(['1 proto told']);
});

test.each([
  'libs/a/b/src/c.test.ts',
  'libs/a/b/src/c.fixture.ts',
  'libs/a/b/src/testing/c.ts',
  'libs/devkit/b/src/c.ts',
  'e2e/c.ts',
  'bench/c.ts',
])('%s counts as a test', (path) => {
  expect(found(path, "test('nobody reads', () => {}); // told")).toEqual(['1 test nobody', '1 test told']);
});

test('names are counted once, where they are declared', () => {
  const source = [
    'function toldOf(leastMs: number) {',
    '  const least = leastMs;',
    '  return least + least;',
    '}',
    'interface A {',
    '  greatestMs?: number;',
    '}',
    'const lookup = 1;',
  ].join('\n');
  expect(found(CODE, source)).toEqual(['1 name toldOf', '2 name least', '6 name greatestMs']);
});

test("texts of the page's elements are messages, apostrophes or not", () => {
  const source = "return <p title='now told to'>\n  It's what nobody asked {name}'s\n</p>;";
  expect(found('apps/page/src/a.tsx', source)).toEqual(['1 message told', '2 message nobody']);
});

test('a line can allow a word, and only that one', () => {
  expect(found(CODE, '// words: allow told\n// It is told to nobody.')).toEqual(['2 comment nobody']);
  expect(found('docs/README.md', '<!-- words: allow nobody -->\nOdysseus is nobody, told.')).toEqual(['2 docs told']);
});

test('no quotation of the rules themselves is counted', () => {
  expect(found('docs/contributing/writing.md', 'nobody')).toEqual([]);
});
