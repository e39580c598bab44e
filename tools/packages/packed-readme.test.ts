import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { packedReadme } from './packed-readme.ts';
import { root } from './root.ts';

describe('the README of a packed package', () => {
  test('has no section about the repository', () => {
    expect(packedReadme('# a\n\nUse it.\n\n## In this repository\n\n- **Tests:** here\n')).toBe('# a\n\nUse it.\n');
  });

  test('names the pages that it can not link', () => {
    expect(packedReadme('[The guide](../../../docs/client.md#flush) says.\n')).toBe(
      'The guide (`docs/client.md`) says.\n',
    );
  });

  test('keeps links to the web and to its own headings', () => {
    const text = '[Node](https://nodejs.org/en) and [below](#below)\n';
    expect(packedReadme(text)).toBe(text);
  });

  test('the README of the client library has both to change', () => {
    const readme = readFileSync(join(root, 'libs/collect/client/README.md'), 'utf8');
    expect(readme).toContain('In this repository');
    const packed = packedReadme(readme);
    expect(packed).not.toMatch(/In this repository|\.\.\//);
    expect(packed).toContain('`docs/client.md`');
  });
});
