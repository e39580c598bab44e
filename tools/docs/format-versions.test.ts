import { expect, test } from '@jest/globals';
import { formatProblems, quoteProblems, versionConstants } from './format-versions.ts';

const LIST = `| page | content | written by | version | stated in |
| --- | --- | --- | --- | --- |
| [block.md](block.md) | records | \`libs/log/point-records\` | 4 | \`a/record.ts\` |
| [store.md](store.md) | a store, and its chunks | \`libs/store\` | 5, 1 | \`b/meta.ts\`, \`b/chunk.ts\` |
| [partial.md](partial.md) | a message | \`libs/data/fold\` | – |  |
`;
const PAGES = new Map([
  ['block.md', '# Blocks, version 4\nVersions 1 to 3 were never released; golden records of version 4.'],
  ['store.md', '# The store, version 5\ntext'],
  ['partial.md', '# The partial\nno version'],
]);
const CODE = [
  ...versionConstants('a/record.ts', 'const VERSION = 4;\nconst OTHER = 9;'),
  ...versionConstants('b/meta.ts', 'export const STORE_VERSION = 5;'),
  ...versionConstants('b/chunk.ts', 'const VERSION = 1;\n'),
];

test('pages that agree with the code have no problem', () => {
  expect(CODE.map(({ version }) => version)).toEqual([4, 5, 1]);
  expect(formatProblems(LIST, PAGES, CODE)).toEqual([]);
});

test.each([
  [
    'a version of the code that rose',
    LIST,
    PAGES,
    [...versionConstants('a/record.ts', 'const VERSION = 5;'), ...CODE.slice(1)],
  ],
  ['a page of an older title', LIST, new Map([...PAGES, ['block.md', '# Blocks, version 3\n']]), CODE],
  ['a page without a version', LIST, new Map([...PAGES, ['store.md', '# The store\n']]), CODE],
  [
    'a page that names a version to come',
    LIST,
    new Map([...PAGES, ['block.md', '# Blocks, version 4\nversion 5']]),
    CODE,
  ],
  ['a page that is not listed', LIST, new Map([...PAGES, ['new.md', '# New, version 1']]), CODE],
  ['a constant that is not listed', LIST, PAGES, [...CODE, { file: 'c/new.ts', version: 1 }]],
  ['a file that states nothing', LIST, PAGES, CODE.slice(1)],
])('%s is a problem', (_, list, pages, code) => {
  expect(formatProblems(list, pages, code)).toHaveLength(1);
});

test('a quoted beginning of a file has the version of the code', () => {
  const code = [{ file: 'libs/adapter/embedded-log/src/segment-format.ts', version: 2 }];
  expect(quoteProblems('a.md', 'FORMAT  "tidemark-log 2"\n`tidemark-log 2`', code)).toEqual([]);
  expect(quoteProblems('a.md', 'FORMAT  "tidemark-log 1"', code)).toHaveLength(1);
});
