// Draws profiles of --cpu-prof as one flame graph, and prints the time of each library's own functions:
// `node tools/flame-graph.mjs [--last SECONDS] OUT.svg TITLE FILE.cpuprofile…`. Width is sampled time, with all files next
// to each other. Idle time and frames too narrow to see are omitted.
import { readFileSync, writeFileSync } from 'node:fs';

const USAGE = 'usage: node tools/flame-graph.mjs [--last SECONDS] OUT.svg TITLE FILE.cpuprofile…';
const hasLast = process.argv[2] === '--last';
/** Only samples of so many seconds before the end of each profile: a benchmark begins with its preparations. */
const lastMicros = hasLast ? Number(process.argv[3]) * 1e6 : Number.POSITIVE_INFINITY;
const [out, title, ...files] = process.argv.slice(hasLast ? 4 : 2);
if (files.length === 0 || !(lastMicros > 0)) {
  console.error(USAGE);
  process.exit(2);
}
const WIDTH = 1200;
const ROW = 17;
const MIN_SHARE = 0.002;
const MIN_AREA = 0.005;
/** Frames without JavaScript: idle time, or native code that the profiler cannot see. */
const OUTSIDE = new Set(['(root)', '(idle)', '(program)']);

const root = { name: 'all threads', micros: 0, children: new Map() };
/** Microseconds by the library of the innermost function. */
const areas = new Map();
for (const file of files) add(JSON.parse(readFileSync(file, 'utf8')), file);

const rects = [];
let deepest = 0;
place(root, 0, 0, WIDTH / root.micros);
const height = (deepest + 1) * ROW + 40;
const svg = [
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="11">`,
  `<title>${escaped(title)}</title>`,
  `<rect width="${WIDTH}" height="${height}" fill="#fff"/><text x="6" y="18" font-size="13">${escaped(title)}</text>`,
  ...rects.map(({ x, y, width, name, share }) => {
    const label =
      width > 40 ? `<text x="${(x + 3).toFixed(1)}" y="${y + 12}">${escaped(fitted(name, width))}</text>` : '';
    const box = `<rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${ROW - 1}" fill="${color(name)}"/>`;
    return `<g><title>${escaped(name)}: ${(share * 100).toFixed(1)}%</title>${box}${label}</g>`;
  }),
  '</svg>',
];
writeFileSync(out, `${svg.join('\n')}\n`);
console.log(`${out}: ${rects.length} frames, ${(root.micros / 1e6).toFixed(1)} s sampled`);
for (const [area, micros] of [...areas].sort(([, a], [, b]) => b - a)) {
  if (micros >= MIN_AREA * root.micros)
    console.log(`${((100 * micros) / root.micros).toFixed(1).padStart(5)}%  ${area}`);
}

function add({ nodes, samples, timeDeltas, startTime, endTime }, file) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const stacks = new Map();
  const stackOf = (id) => {
    let stack = stacks.get(id);
    if (stack === undefined) {
      const parent = parents.get(id);
      const name = nameOf(byId.get(id).callFrame);
      stack = parent === undefined ? [] : [...stackOf(parent), name];
      stacks.set(id, stack);
    }
    return stack;
  };
  const thread = /\.(\d+)\.\d+\.cpuprofile$/.exec(file)?.[1];
  const threadName = thread === '0' ? 'main thread' : `store thread ${thread}`;
  let micros = startTime;
  samples.forEach((id, i) => {
    micros += timeDeltas[i];
    const stack = stackOf(id);
    if (micros < endTime - lastMicros || stack.length === 0 || OUTSIDE.has(stack.at(-1))) return;
    const area = areaOf(byId.get(id).callFrame);
    areas.set(area, (areas.get(area) ?? 0) + timeDeltas[i]);
    let at = root;
    at.micros += timeDeltas[i];
    for (const name of [threadName, ...stack]) {
      let child = at.children.get(name);
      if (child === undefined) {
        child = { name, micros: 0, children: new Map() };
        at.children.set(name, child);
      }
      child.micros += timeDeltas[i];
      at = child;
    }
  });
}

/** The library of a function, such as `point-store`, or its name where it has none. */
function areaOf({ functionName, url }) {
  if (url.startsWith('wasm:')) return 'WebAssembly';
  return /libs\/[^/]+\/([^/]+)\//.exec(url)?.[1] ?? libraryOf(url) ?? functionName;
}

function libraryOf(url) {
  return (
    /(?:libs|node_modules)\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? (url.startsWith('node:') ? 'node' : undefined)
  );
}

function nameOf({ functionName, url }) {
  const where = libraryOf(url) ?? '';
  return `${functionName || '(anonymous)'}${where === '' ? '' : ` [${where}]`}`;
}

function place(frame, depth, x, scale) {
  const share = frame.micros / root.micros;
  if (share < MIN_SHARE) return;
  deepest = Math.max(deepest, depth);
  rects.push({ x, y: 30 + depth * ROW, width: frame.micros * scale, name: frame.name, share });
  let left = x;
  for (const child of [...frame.children.values()].sort((a, b) => b.micros - a.micros)) {
    place(child, depth + 1, left, scale);
    left += child.micros * scale;
  }
}

function color(name) {
  const library = /\[(.*)\]$/.exec(name)?.[1] ?? name;
  if (library === '(garbage collector)') return '#e0a0a0';
  let hash = 7;
  for (const letter of library) hash = (hash * 31 + letter.charCodeAt(0)) >>> 0;
  return `hsl(${hash % 360} 55% 78%)`;
}

function fitted(text, width) {
  const letters = Math.floor((width - 6) / 6.7);
  return text.length <= letters ? text : `${text.slice(0, Math.max(0, letters - 1))}…`;
}

function escaped(text) {
  return text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
