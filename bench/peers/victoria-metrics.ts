import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';

const MODULE = 'github.com/VictoriaMetrics/VictoriaMetrics';
export const VICTORIA_METRICS_VERSION = 'v1.150.0';
const BINARY = 'victoria-metrics';
const READY_MS = 60_000;

/** Why it can't be built here; undefined when it can be tried. */
export function whyNoGo(): string | undefined {
  const { status } = spawnSync('go', ['version']);
  return status === 0 ? undefined : 'there is no Go on this machine';
}

/** The binary, built from its Go module into a cache of its own, outside of this repository; once a machine. */
export function buildVictoriaMetrics(): string {
  const folder = join(homedir(), '.cache', 'tidemark-peers', `${BINARY}-${VICTORIA_METRICS_VERSION}`);
  const binary = join(folder, BINARY);
  if (existsSync(binary)) return binary;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'go.mod'), 'module peers\n\ngo 1.25\n');
  // Its packages are commands: the import is there for go.mod to be filled, not to be built.
  writeFileSync(
    join(folder, 'peers.go'),
    `//go:build peers\n\npackage peers\n\nimport _ "${MODULE}/app/victoria-metrics"\n`,
  );
  go(folder, ['get', `${MODULE}@${VICTORIA_METRICS_VERSION}`]);
  go(folder, ['build', '-mod=mod', '-o', BINARY, `${MODULE}/app/victoria-metrics`]);
  return binary;
}

function go(folder: string, args: readonly string[]): void {
  const { status } = spawnSync('go', args, { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new Error(`go ${args[0]} ended with ${status}`);
}

/** A running VictoriaMetrics over an empty folder. */
export class VictoriaMetrics {
  readonly url: string;
  readonly process: ChildProcess;

  private constructor(url: string, child: ChildProcess) {
    this.url = url;
    this.process = child;
  }

  static async start(binary: string, folder: string): Promise<VictoriaMetrics> {
    const port = await freePort();
    const child = spawn(
      binary,
      [
        `-storageDataPath=${folder}`,
        `-httpListenAddr=127.0.0.1:${port}`,
        '-retentionPeriod=100y',
        '-selfScrapeInterval=0',
        '-loggerLevel=ERROR',
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    const url = `http://127.0.0.1:${port}`;
    const deadlineMs = performance.now() + READY_MS;
    while (!(await isUp(`${url}/health`))) {
      if (child.exitCode !== null || performance.now() > deadlineMs) throw new Error('VictoriaMetrics does not start');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return new VictoriaMetrics(url, child);
  }

  /** Writes to disk what is in memory, and makes it visible. */
  async flush(): Promise<void> {
    await fetch(`${this.url}/internal/force_flush`);
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.process.once('exit', () => resolve());
      this.process.kill('SIGINT');
    });
  }
}

async function isUp(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
