// Checks the pages of the root, docs/, and the READMEs of e2e, packages and apps against the project: checks links, anchors,
// file names, the list of libraries, quoted messages and versions of formats, and runs the marked commands on a platform of
// their own.
// docs/README.md says how to mark a block.
// `--no-run` runs no commands.
import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatProblems, LIST, quoteProblems, versionConstants } from './docs/format-versions.ts';
import { installPacked, pack } from './packages/install-packed.ts';
import { oldestNode } from './packages/oldest-node.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const COMMAND_MS = 25_000;
const START_MS = 60_000;
const STOP_MS = 15_000;
const RETRY_MS = 500;
const HELP = `Usage: node tools/check-docs.mjs [--no-run]

Checks the pages of the root and of docs/, and the READMEs of e2e, packages and apps: links, anchors, names of files, the list
of libraries, quoted messages, versions of formats; then runs the commands that are marked, on a platform of their own.

  --no-run  leave out the commands
  --help    show this`;
const ROOT_PAGES = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'e2e/README.md'];
/** The package that users install: an example that imports it runs in a project of its own. */
const PACKED_CLIENT = "'@tidemark/client'";
/** Shorter parts of a message are not looked up: they occur by chance. */
const MESSAGE_PART_CHARS = 6;
/** Ports in the pages, which are replaced by those of the running platform. */
const PORTS = { 4270: 'http', 4271: 'grpc', 8125: 'dogstatsd' };

const args = process.argv.slice(2);
if (args.includes('--help') || args.includes('-h')) {
  console.log(HELP);
  process.exit(0);
}
const unknown = args.find((arg) => arg !== '--no-run');
if (unknown !== undefined) {
  console.error(`unknown option ${unknown}\n\n${HELP}`);
  process.exit(2);
}

/** Kills started processes at every exit: a platform left running would keep its threads and ports. */
const cleanups = new Set();
process.on('exit', () => {
  for (const clean of cleanups) clean();
});
for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 })) {
  process.on(signal, () => process.exit(code));
}
// A reader such as `| head` closes the pipe early. The exit code is that of SIGPIPE in a shell.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(141);
  });
}

const problems = [];
const pages = [...ROOT_PAGES, ...markdownIn('docs'), ...readmes()].map(readPage);
const counts = { links: 0, names: 0, messages: 0, ran: 0, skipped: 0 };

for (const page of pages) {
  checkLinks(page);
  checkNames(page);
}
checkLibraries();
checkCitedPages();
checkFormats();
checkMessages();
console.log(
  `${pages.length} pages: ${counts.links} links, ${counts.names} names of files, ${counts.messages} messages`,
);
if (!args.includes('--no-run')) await runBlocks();

for (const problem of problems) console.error(problem);
console.log(`${counts.ran} commands ran, ${problems.length} problems, ${counts.skipped} skipped`);
process.exit(problems.length > 0 ? 1 : 0);

// Pages

function markdownIn(folder) {
  return readdirSync(join(root, folder), { recursive: true })
    .map((name) => join(folder, name))
    .filter((name) => name.endsWith('.md'))
    .sort();
}

/** The READMEs of apps and packages. */
function readmes() {
  const folders = [...foldersIn('apps'), ...foldersIn('libs').flatMap(foldersIn)];
  return folders.map((folder) => `${folder}/README.md`).filter((file) => existsSync(join(root, file)));
}

/** Paths of the folders directly in `folder`. */
function foldersIn(folder) {
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => `${folder}/${name}`);
}

/** Reads a page: its prose lines, its fenced blocks, and the anchors of its headings. */
function readPage(name) {
  const page = { name, prose: [], blocks: [], anchors: new Set() };
  let block;
  readFileSync(join(root, name), 'utf8')
    .split('\n')
    .forEach((line, i) => {
      const fence = /^(`{3,})(.*)$/.exec(line);
      if (block !== undefined) {
        if (fence?.[1].length === block.ticks && fence[2].trim() === '') block = undefined;
        else block.lines.push(line);
      } else if (fence !== null && !fence[2].includes('`')) {
        block = { line: i + 1, ticks: fence[1].length, info: fence[2].trim().split(/\s+/), lines: [] };
        page.blocks.push(block);
      } else {
        page.prose.push({ number: i + 1, text: line });
        const heading = /^#{1,6} (.*)$/.exec(line);
        if (heading !== null) page.anchors.add(anchorOf(heading[1], page.anchors));
      }
    });
  if (block !== undefined) problems.push(`${name}:${block.line}: the code block has no end`);
  return page;
}

/**
 * Makes the anchor of a heading like GitHub: lower case, dashes for spaces, no other punctuation, numbered repetitions.
 */
function anchorOf(heading, taken) {
  const plain = heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .trim()
    .toLowerCase();
  const base = plain.replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-');
  let anchor = base;
  for (let i = 1; taken.has(anchor); i++) anchor = `${base}-${i}`;
  return anchor;
}

function checkLinks({ name, prose }) {
  for (const { number, text } of prose) {
    for (const [, target] of withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      counts.links++;
      const [path, anchor] = target.split('#');
      const file = path === '' ? name : relative(root, resolve(root, dirname(name), path));
      const where = `${name}:${number}: link ${target}`;
      if (!existsSync(join(root, file))) problems.push(`${where}: no such file`);
      else if (anchor !== undefined && !pages.find((page) => page.name === file)?.anchors.has(anchor)) {
        problems.push(`${where}: no such heading`);
      }
    }
  }
}

function withoutCode(text) {
  return text.replace(/`[^`]*`/g, '');
}

/** Checks the paths in code spans that begin with a folder of the project, or with `src/` of the page's own package. */
function checkNames({ name, prose }) {
  const folders = /^(libs|apps|docs|tools|bench|e2e|proto|\.ci)\/[\w@./-]+$/;
  for (const { number, text } of prose) {
    for (const [, span] of text.matchAll(/`([^`]+)`/g)) {
      for (const word of span.split(/\s+/)) {
        const isOwn = /^(apps|libs)\//.test(name) && /^src\/[\w@./-]+$/.test(word);
        if (!(isOwn || folders.test(word)) || word.includes('NNNN')) continue;
        counts.names++;
        const file = isOwn ? join(dirname(name), word) : word;
        const isMade = word === 'bench/results.json' || /\/dist(\/|$)/.test(word);
        if (!isMade && !existsSync(join(root, file))) problems.push(`${name}:${number}: ${word} does not exist`);
      }
    }
  }
}

function checkLibraries() {
  const { prose } = pages.find((page) => page.name === join('docs', 'architecture.md'));
  const text = prose.map((line) => line.text).join('\n');
  const libraries = foldersIn('libs')
    .flatMap(foldersIn)
    .map((folder) => basename(folder));
  for (const name of libraries) {
    if (!text.includes(`| \`${name}\` |`)) problems.push(`docs/architecture.md: library ${name} is not in the table`);
  }
  for (const [, name] of text.matchAll(/^\| `([\w-]+)` \|/gm)) {
    if (!libraries.includes(name)) problems.push(`docs/architecture.md: there is no library ${name}`);
  }
}

/** Checks the versions of formats: those of the list, of the pages, and of the code. */
function checkFormats() {
  const pagesOf = readdirSync(join(root, dirname(LIST))).filter(
    (name) => name.endsWith('.md') && name !== basename(LIST),
  );
  const texts = new Map(pagesOf.map((name) => [name, readFileSync(join(root, dirname(LIST), name), 'utf8')]));
  const sources = readdirSync(join(root, 'libs'), { recursive: true })
    .map((name) => `libs/${name}`)
    .filter((name) => /\/src\/.*\.ts$/.test(name) && !/node_modules|generated|\.test\.ts$|^libs\/devkit\//.test(name));
  const constants = sources.flatMap((name) => versionConstants(name, readFileSync(join(root, name), 'utf8')));
  problems.push(...formatProblems(readFileSync(join(root, LIST), 'utf8'), texts, constants));
  for (const { name } of pages)
    problems.push(...quoteProblems(name, readFileSync(join(root, name), 'utf8'), constants));
}

/** Checks the pages that sources cite, because pages get renamed. */
function checkCitedPages() {
  for (const folder of ['libs', 'apps', 'tools', 'bench', 'e2e', 'proto']) {
    if (!existsSync(join(root, folder))) continue;
    for (const name of readdirSync(join(root, folder), { recursive: true })) {
      if (!/\.(ts|tsx|mjs|proto)$/.test(name) || /node_modules|dist\/|generated/.test(name)) continue;
      const text = readFileSync(join(root, folder, name), 'utf8');
      for (const [page] of text.matchAll(/\bdocs\/[\w/-]+\.md\b/g)) {
        counts.names++;
        if (!existsSync(join(root, page))) problems.push(`${folder}/${name}: ${page} does not exist`);
      }
    }
  }
}

/**
 * Checks that the sources contain the messages that troubleshooting.md explains. `…`, a number, and a word in
 * capitals stand for a value. A row that does not begin with a quotation has a message of another program.
 */
function checkMessages() {
  const name = join('docs', 'operations', 'troubleshooting.md');
  const sources = ['libs', 'apps', 'tools'].map(textOfSources).join('\n');
  for (const { number, text } of pages.find((page) => page.name === name).prose) {
    const [, cell] = /^\| (`[^|]*) \|/.exec(text) ?? [];
    for (const [, message] of (cell ?? '').matchAll(/`([^`]+)`/g)) {
      counts.messages++;
      for (const part of message.split(/…|\b(?:[A-Z]+|\d+)\b/)) {
        // The colon after a field comes from the function that builds the message.
        const fixed = part.trim().replace(/:$/, '');
        if (fixed.length >= MESSAGE_PART_CHARS && !sources.includes(fixed)) {
          problems.push(`${name}:${number}: no message contains "${fixed}"`);
        }
      }
    }
  }
}

/** The code of `folder` without its tests; a string that continues on the next line is joined. */
function textOfSources(folder) {
  return readdirSync(join(root, folder), { recursive: true })
    .filter((name) => /\.(ts|tsx|mjs)$/.test(name) && !/node_modules|dist\/|\.(test|fixture)\.ts$/.test(name))
    .map((name) => readFileSync(join(root, folder, name), 'utf8').replace(/['`] \+\s+['`]/g, ''))
    .join('\n');
}

// Commands

async function runBlocks() {
  const tasks = pages.flatMap((page) =>
    page.blocks.flatMap((block, i) => {
      if (block.info[1] !== 'check') return [];
      const next = page.blocks[i + 1];
      const expected = next?.info[1] === 'expect' ? next.lines.filter((line) => line.trim() !== '') : [];
      return [{ where: `${page.name}:${block.line}`, block, expected, marks: block.info.slice(2) }];
    }),
  );
  const scratch = mkdtempSync(join(tmpdir(), 'tidemark-docs-'));
  const removeScratch = () => rmSync(scratch, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  cleanups.add(removeScratch);
  let platform;
  try {
    // Examples import packages like a program of the project; examples of the client library like a user's program.
    mkdirSync(join(scratch, 'run'));
    symlinkSync(join(root, 'node_modules'), join(scratch, 'run', 'node_modules'));
    const places = { own: { folder: join(scratch, 'run'), node: process.execPath } };
    if (tasks.some(({ block }) => usesPackedClient(block))) {
      const { path, version } = oldestNode();
      places.packed = { folder: join(scratch, 'packed'), node: path };
      mkdirSync(places.packed.folder);
      installPacked(pack('client', scratch), places.packed.folder);
      console.log(`examples of the client library run with its package on Node ${version}`);
    }
    const starts = tasks.filter(({ marks }) => marks.includes('start'));
    const [start, ...otherStarts] = starts;
    console.log(`$ npm start    (${start?.where ?? 'for the commands below'})`);
    platform = await startPlatform(join(scratch, 'data'), []);
    if (start !== undefined) counts.ran++;
    for (const task of tasks) if (!starts.includes(task)) await runTask(task, platform, places);
    // They run next to the first one: that is what other ports and another folder are for.
    for (const { where, block } of otherStarts) {
      const flags = startFlags(block.lines.join('\n'), scratch);
      console.log(`$ ${block.lines.join('\n  ')}    (${where})`);
      counts.ran++;
      await stopPlatform(await startPlatform(undefined, flags));
    }
    await stopPlatform(platform);
  } catch (error) {
    problems.push(String(error instanceof Error ? error.message : error));
    platform?.kill();
  } finally {
    cleanups.delete(removeScratch);
    removeScratch();
  }
}

function usesPackedClient({ info, lines }) {
  return info[0] === 'js' && lines.some((line) => line.includes(PACKED_CLIENT));
}

/** Returns the flags of a command that starts a platform, with a folder of the check and free ports. */
function startFlags(source, scratch) {
  const [, flags = ''] = /npm start -- (.*)/.exec(source.replace(/\\\n\s*/g, '')) ?? [];
  return flags.split(/\s+/).map((word, i, words) => {
    if (words[i - 1] === '--data') return join(scratch, word);
    return words[i - 1]?.endsWith('-port') ? '0' : word;
  });
}

/** Starts a platform with its folder and ports in the environment, or with those of `flags`. */
async function startPlatform(folder, flags) {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('TIDEMARK_'));
  const places = {
    TIDEMARK_DATA: folder,
    TIDEMARK_HTTP_PORT: '0',
    TIDEMARK_GRPC_PORT: '0',
    TIDEMARK_DOGSTATSD_PORT: '0',
  };
  const env = { ...Object.fromEntries(own), ...(folder === undefined ? {} : places) };
  // A process group of its own: a kill must reach `npm start` and its child.
  const options = { cwd: root, env, detached: true };
  const child = spawn(process.execPath, [join(root, 'tools', 'bootstrap.mjs'), 'start', ...flags], options);
  const kill = () => killGroup(child);
  cleanups.add(kill);
  const platform = { child, output: '', env, ports: {}, kill };
  const collect = (data) => {
    platform.output += data;
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const deadline = Date.now() + START_MS;
  while (!platform.output.includes('Ctrl-C stops it.')) {
    if (child.exitCode !== null || Date.now() > deadline) {
      kill();
      throw new Error(`npm start did not start the platform\n${platform.output}`);
    }
    await pause(50);
  }
  const port = (pattern) => pattern.exec(platform.output)?.[1] ?? '0';
  platform.ports = {
    http: port(/page\s+\S*:(\d+)/),
    grpc: port(/gRPC\s+\S*:(\d+)/),
    dogstatsd: port(/DogStatsD\s+udp \S*:(\d+)/),
  };
  platform.env = { ...env, TIDEMARK_ADDRESS: `127.0.0.1:${platform.ports.grpc}` };
  return platform;
}

function killGroup(child) {
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

async function stopPlatform({ child, output, kill }) {
  const ended = new Promise((done) => child.once('exit', done));
  child.kill('SIGTERM');
  const code = await Promise.race([ended, pause(STOP_MS).then(() => 'no end')]);
  if (code !== 0) {
    kill();
    problems.push(`npm start: stopped with ${code}\n${output}`);
  }
  cleanups.delete(kill);
}

async function runTask({ where, block, expected, marks }, platform, places) {
  const place = usesPackedClient(block) ? places.packed : places.own;
  const source = block.lines.join('\n').replace(/\b(4270|4271|8125)\b/g, (port) => platform.ports[PORTS[port]]);
  const shown = block.info[0] === 'js' ? `node: ${block.lines.length} lines` : block.lines.join('\n  ');
  const missing = marks
    .filter((mark) => mark.startsWith('needs='))
    .map((mark) => mark.slice('needs='.length))
    .find((program) => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0);
  if (missing !== undefined) {
    counts.skipped++;
    console.log(`skipped: ${missing} is not installed    (${where})`);
    return;
  }
  const startedMs = Date.now();
  let result;
  do {
    if (result !== undefined) await pause(RETRY_MS);
    result = await runOnce(block.info[0], source, platform, place);
    result.missing = missingFrom(result.output, expected);
  } while (marks.includes('retry') && !isRight(result) && Date.now() - startedMs < COMMAND_MS);
  counts.ran++;
  console.log(`$ ${shown}    (${where}, ${Date.now() - startedMs} ms)`);
  if (isRight(result)) return;
  const wrong = result.code !== 0 ? `ended with ${result.code}` : `the output lacks "${result.missing}"`;
  problems.push(`${where}: ${wrong}\n${result.output}`);
}

function isRight({ code, missing }) {
  return code === 0 && missing === undefined;
}

/** Returns the first missing line of the expected lines, which must be in order; `…` matches any text in a line. */
function missingFrom(output, expected) {
  let rest = output;
  for (const line of expected) {
    const parts = line
      .trim()
      .split('…')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    const found = new RegExp(parts.join('.*')).exec(rest);
    if (found === null) return line;
    rest = rest.slice(found.index + found[0].length);
  }
  return undefined;
}

function runOnce(language, source, { env }, { folder, node }) {
  let command;
  if (language === 'js') {
    const file = join(folder, 'example.mjs');
    writeFileSync(file, source);
    command = [node, [file], folder];
  } else {
    command = ['sh', ['-e', '-c', source], root];
  }
  const [program, args, cwd] = command;
  return new Promise((done) => {
    const child = spawn(program, args, { cwd, env, timeout: COMMAND_MS, killSignal: 'SIGKILL' });
    // stderr is shown after stdout: the two have no common order.
    const output = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr']) {
      child[stream].on('data', (data) => {
        output[stream] += data;
      });
    }
    const end = (code) => done({ code, output: output.stdout + output.stderr });
    child.on('error', (error) => end(error.message));
    child.on('close', (code, signal) => end(code ?? signal));
  });
}

function pause(ms) {
  return new Promise((done) => setTimeout(done, ms));
}
