// Checks the words of code, docs, protos, settings and page against the list of banned words, and the length of new
// commits' subjects. The findings that are left are counted by folder and kind in tools/words-allowed.json: a count may
// only fall. docs/contributing/writing.md has the rules.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { exceeded, folderOf, lowered } from './words/allowed-counts.ts';
import { changedLines } from './words/changed-lines.ts';
import { newSubjects, subjectProblems } from './words/commit-subjects.ts';
import { findWords, KINDS } from './words/find-words.ts';

const HELP = `Usage: node tools/check-words.mjs [--summary | --list | --update | --reset] [PATH…]

Fails when a folder has more banned words than tools/words-allowed.json allows it, or a commit's subject is too long.

  --list     print every finding below the paths, allowed or not
  --summary  print a table of counts by folder and kind
  --update   lower the allowed counts to today's; none is raised
  --reset    write today's counts, higher ones too: after a package was moved or split, with the diff reviewed
  --help     show this`;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const ALLOWED_FILE = 'tools/words-allowed.json';
const FOLDERS = ['libs', 'apps', 'e2e', 'bench', 'tools', 'docs', 'proto'];
const PAGES = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'];
const { values: options, positionals: paths } = parseArgs({
  allowPositionals: true,
  options: {
    list: { type: 'boolean', default: false },
    summary: { type: 'boolean', default: false },
    update: { type: 'boolean', default: false },
    reset: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) {
  console.log(HELP);
  process.exit(0);
}

const findings = [];
const counts = {};
for (const file of files()) {
  const folder = folderOf(file);
  for (const found of findWords(file, readFileSync(join(root, file), 'utf8'))) {
    findings.push({ ...found, file, folder });
    counts[folder] ??= {};
    counts[folder][found.kind] = (counts[folder][found.kind] ?? 0) + 1;
  }
}

const before = JSON.parse(readFileSync(join(root, ALLOWED_FILE), 'utf8'));
const allowed = options.reset ? counts : before;
if (options.list) for (const found of findings) if (isAsked(found.file)) console.log(lineOf(found));
if (options.summary) printSummary();
if (options.update || options.reset)
  writeFileSync(join(root, ALLOWED_FILE), `${JSON.stringify(lowered(counts, allowed), null, 2)}\n`);

const beyond = exceeded(counts, allowed);
const changed = beyond.length > 0 ? changedLines(root) : new Map();
for (const { folder, kind, count, limit } of beyond) {
  const here = findings.filter((found) => found.folder === folder && found.kind === kind);
  const fresh = here.filter(({ file, line }) => changed.get(file) === 'all' || changed.get(file)?.has(line) === true);
  // Words that came by a move are on no changed line: then all of them are shown.
  for (const found of fresh.length > 0 ? fresh : here) console.error(lineOf(found));
  console.error(`${folder}: ${count} banned words in texts of kind ${kind} (limit: ${limit}): replace the new ones`);
}
const subjects = subjectProblems(newSubjects(root));
for (const problem of subjects) console.error(problem);
if (beyond.length + subjects.length > 0) process.exit(1);

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

function isAsked(file) {
  return paths.length === 0 || paths.some((path) => file === path || file.startsWith(`${path.replace(/\/$/, '')}/`));
}

function lineOf({ file, line, word, use, kind }) {
  return `${file}:${line}: ${word} is banned: use ${use} (${kind})`;
}

function printSummary() {
  const rows = Object.keys(counts).sort();
  const width = Math.max(...rows.map((folder) => folder.length), 6);
  const line = (name, cells) =>
    console.log([name.padEnd(width), ...cells.map((cell) => `${cell}`.padStart(8))].join(''));
  line('folder', [...KINDS, 'sum']);
  const sum = (values) => values.reduce((a, b) => a + b, 0);
  const cellsOf = (folders) => KINDS.map((kind) => sum(folders.map((folder) => counts[folder][kind] ?? 0)));
  for (const folder of rows) line(folder, [...cellsOf([folder]), sum(cellsOf([folder]))]);
  line('sum', [...cellsOf(rows), sum(cellsOf(rows))]);
}
