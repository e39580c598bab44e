// Writes docs/reference/grpc.md from the comments of proto/. `--check` writes nothing and fails when it differs.
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { putGenerated } from './generated-file.mjs';
import { renderReference } from './grpc-reference/render-reference.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const MAX_BYTES = 64 * 1024 * 1024;
const json = execFileSync(join(root, 'node_modules/.bin/buf'), ['build', '-o', '-#format=json'], {
  cwd: root,
  encoding: 'utf8',
  maxBuffer: MAX_BYTES,
});

putGenerated('docs/reference/grpc.md', renderReference(JSON.parse(json)), 'proto/');
