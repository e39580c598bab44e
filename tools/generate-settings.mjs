// Writes docs/settings.md from the schema of the settings. `--check` writes nothing and fails when it differs.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderSettings } from '../libs/settings/src/index.ts';

const file = join(dirname(dirname(fileURLToPath(import.meta.url))), 'docs', 'settings.md');
const text = renderSettings();

if (!process.argv.includes('--check')) writeFileSync(file, text);
else if (read() !== text) {
  console.error('docs/settings.md is not what the schema says. Run: node tools/generate-settings.mjs');
  process.exit(1);
}

function read() {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
