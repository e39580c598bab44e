import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Version of the Go module, which is Prometheus 3.16. */
export const PROMETHEUS_VERSION = 'v0.316.0';
const MODULE = 'github.com/prometheus/prometheus/cmd/prometheus';
const BUILD_MS = 3_600_000;
const run = promisify(execFile);

/** Folder of the built program, outside of the clone. */
function programFile(): string {
  const caches = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  return join(caches, 'tidemark', `prometheus-${PROMETHEUS_VERSION}`, 'prometheus');
}

/** Returns why Prometheus cannot be built, or an empty string. */
export async function whyNoPrometheus(): Promise<string> {
  if (existsSync(programFile())) return '';
  return run('go', ['version']).then(
    () => '',
    () => 'Go is needed to build Prometheus, and there is none',
  );
}

/** Builds the program from its Go module once, without service discoveries. Returns its path. */
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
