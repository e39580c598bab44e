// Checks the words of code, docs, protos, settings and page against the list of banned words, and the length of new
// commits' subjects. docs/contributing/writing.md has the rules.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newSubjects, subjectProblems } from './words/commit-subjects.ts';
import { findWords } from './words/find-words.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const FOLDERS = ['libs', 'apps', 'e2e', 'bench', 'tools', 'docs', 'proto'];
const PAGES = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'];

const problems = files().flatMap((file) =>
  findWords(file, readFileSync(join(root, file), 'utf8')).map(
    ({ line, word, use, kind }) => `${file}:${line}: ${word} is banned: use ${use} (${kind})`,
  ),
);
problems.push(...subjectProblems(newSubjects(root)));
for (const problem of problems) console.error(problem);
if (problems.length > 0) {
  console.error(`${problems.length} problems of wording; docs/contributing/writing.md has the rules`);
  process.exit(1);
}

/** Paths relative to the root, with slashes. */
function files() {
  const found = PAGES.filter((page) => readdirSync(root).includes(page));
  for (const folder of FOLDERS) {
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      const file = relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/');
      if (!entry.isFile() || !/\.(ts|tsx|mjs|md|proto|html)$/.test(file)) continue;
      if (!/(^|\/)(node_modules|dist|generated|out)\//.test(file)) found.push(file);
    }
  }
  return found.sort();
}
