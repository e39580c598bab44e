// Assembles files in WebAssembly's text format into TypeScript modules with base64, with names of functions for
// profiles. `--check` writes nothing and fails if the committed files differ.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import loadWabt from 'wabt';
import { putGenerated } from './generated-file.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const SOURCES = [
  ['base/bytes', 'sip-hash'],
  ['data/fold', 'fold'],
  ['data/fold', 'program'],
  ['data/page', 'page'],
  ['ingest/remote-write', 'write-body'],
].map(([library, name]) => ({
  from: `libs/${library}/src/${name}.wat`,
  to: `libs/${library}/src/generated/${name}.ts`,
}));
const FEATURES = { multi_memory: true, simd: true, bulk_memory: true };
const LINE = 100;
const wabt = await loadWabt();

for (const { from, to } of SOURCES) putGenerated(to, moduleOf(from), from);

function moduleOf(from) {
  const parsed = wabt.parseWat(from, readFileSync(join(root, from), 'utf8'), FEATURES);
  parsed.validate(FEATURES);
  const base64 = Buffer.from(parsed.toBinary({ write_debug_names: true }).buffer).toString('base64');
  const lines = base64.match(new RegExp(`.{1,${LINE}}`, 'g')).map((line) => `  '${line}'`);
  const name = `${from.split('/').at(-1).replace('.wat', '').replaceAll('-', '_').toUpperCase()}_WASM`;
  return `// Generated from ${from} by tools/generate-wasm.mjs: do not edit.\nexport const ${name} =\n${lines.join(' +\n')};\n`;
}
