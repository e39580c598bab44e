// Writes the figures of bench/results.json into the README, between the markers bench:start and bench:end. With
// --check it writes nothing and fails if the README has other figures.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const isCheck = process.argv.includes('--check');
const START = '<!-- bench:start -->\n';
const END = '<!-- bench:end -->';
/** Significant digits of a figure: more are noise on a shared machine. */
const DIGITS = 3;
/** Separator of the clauses of a note, and how many clauses notes must share at their beginning to share a letter. */
const CLAUSE_END = '; ';
const SHARED_CLAUSES = 3;

const file = join(root, 'README.md');
const text = readFileSync(file, 'utf8');
const from = text.indexOf(START);
const to = text.indexOf(END);
if (from < 0 || to < from) fail('README.md lacks the markers bench:start and bench:end');

const updated = text.slice(0, from + START.length) + table(read()) + text.slice(to);
if (updated === text) process.exit(0);
if (isCheck) fail('the figures in README.md and bench/results.json differ; run node tools/readme-figures.mjs');
writeFileSync(file, updated);

function read() {
  const path = join(root, 'bench', 'results.json');
  let results;
  try {
    results = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    fail(`cannot read bench/results.json: ${error.message}; run npm run bench to write it`);
  }
  if (!Array.isArray(results) || results.length === 0) fail('bench/results.json has no figures');
  for (const { name, value, unit, conditions } of results) {
    if (typeof name !== 'string' || typeof value !== 'number' || typeof unit !== 'string' || !conditions) {
      fail(`bench/results.json: ${name ?? 'a figure without a name'} needs name, value, unit and conditions`);
    }
  }
  return results;
}

/** Formats one row per figure. Notes below have the conditions: one for all figures of equal conditions. */
function table(results) {
  const notes = [...new Set(results.map(({ conditions }) => conditions))];
  const rows = results.map(({ name, value, unit, conditions }) => {
    const note = notes.indexOf(conditions) + 1;
    return `| \`${name}\` | ${figure(value)} | ${cell(unit)} | ${note} |`;
  });
  const head = ['| benchmark | figure | unit | conditions |', '| --- | ---: | --- | --- |'];
  const { common, own } = shareBeginnings(notes);
  const letters = common.map((text, i) => `- ${letter(i)}: ${text}`);
  const numbers = own.map((text, i) => `${i + 1}. ${text}`);
  return `${[...head, ...rows, '', ...letters, ...(common.length > 0 ? [''] : []), ...numbers].join('\n')}\n`;
}

/** Replaces the beginning that several notes share by a letter, so that their differences are visible. */
function shareBeginnings(notes) {
  const groups = Map.groupBy(notes, (note) => note.split(CLAUSE_END).slice(0, SHARED_CLAUSES).join(CLAUSE_END));
  const common = [];
  const own = new Map();
  for (const group of groups.values()) {
    if (group.length === 1) {
      own.set(group[0], group[0]);
      continue;
    }
    const clauses = group.map((note) => note.split(CLAUSE_END));
    const [first] = clauses;
    const differs = first.findIndex((clause, i) => clauses.some((other) => other[i] !== clause));
    const shared = differs < 0 ? first.length : differs;
    for (const [i, one] of clauses.entries()) {
      own.set(group[i], [`conditions ${letter(common.length)}`, ...one.slice(shared)].join(CLAUSE_END));
    }
    common.push(first.slice(0, shared).join(CLAUSE_END));
  }
  return { common, own: notes.map((note) => own.get(note)) };
}

function letter(index) {
  return String.fromCharCode('A'.charCodeAt(0) + index);
}

/** Formats a figure: 3214567 → 3.21 M, 1.8345 → 1.83. */
function figure(value) {
  for (const [size, suffix] of [
    [1e9, ' G'],
    [1e6, ' M'],
    [1e3, ' k'],
  ]) {
    if (Math.abs(value) >= size) return `${Number((value / size).toPrecision(DIGITS))}${suffix}`;
  }
  return String(Number(value.toPrecision(DIGITS)));
}

function cell(text) {
  return text.replaceAll('|', '\\|');
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
