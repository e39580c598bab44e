import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The module's numbering: this is Prometheus 3.16. */
export const PROMETHEUS_VERSION = 'v0.316.0';
const MODULE = 'github.com/prometheus/prometheus/cmd/prometheus';
const BUILD_MS = 3_600_000;
const run = promisify(execFile);

/** Where the built program is kept, outside of the clone. */
function programFile(): string {
  const caches = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  return join(caches, 'tidemark', `prometheus-${PROMETHEUS_VERSION}`, 'prometheus');
}

/** Why no Prometheus can be had; empty when one can. */
export async function whyNoPrometheus(): Promise<string> {
  if (existsSync(programFile())) return '';
  return run('go', ['version']).then(
    () => '',
    () => 'Go is needed to build Prometheus, and there is none',
  );
}

/** The program, built from its Go module where that was not done yet; without service discoveries, which it needs not. */
export async function prometheusProgram(): Promise<string> {
  const file = programFile();
  if (existsSync(file)) return file;
  console.error(`building Prometheus ${PROMETHEUS_VERSION} from its Go module (once; some minutes)`);
  await mkdir(join(file, '..'), { recursive: true });
  await run('go', ['install', '-tags', 'netgo,remove_all_sd', `${MODULE}@${PROMETHEUS_VERSION}`], {
    env: { ...process.env, GOBIN: join(file, '..'), GOFLAGS: '' },
    timeout: BUILD_MS,
    maxBuffer: 1 << 26,
  });
  return file;
}
