import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { BodiesOptions } from '../remote-write/bodies.ts';
import { folderBytes } from '../whole-path/folder-bytes.ts';
import { promqlAnswers } from './answers.ts';
import type { Peer } from './peer.ts';
import { ServerProcess } from './server-process.ts';

const MODULE = 'github.com/VictoriaMetrics/VictoriaMetrics';
export const VERSION = 'v1.150.0';
const BINARY = 'victoria-metrics';

/** Returns why it cannot be built on this machine, or undefined. */
export function whyNoGo(): string | undefined {
  const { status } = spawnSync('go', ['version']);
  return status === 0 ? undefined : 'Go is not installed';
}

/** Builds the binary from its Go module, once per machine, into a cache outside of the repository. Returns its path. */
export function buildVictoriaMetrics(): string {
  const folder = join(homedir(), '.cache', 'tidemark-peers', `${BINARY}-${VERSION}`);
  const binary = join(folder, BINARY);
  if (existsSync(binary)) return binary;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'go.mod'), 'module peers\n\ngo 1.25\n');
  // Its packages are commands: the import is there for go.mod to be filled, not to be built.
  writeFileSync(
    join(folder, 'peers.go'),
    `//go:build peers\n\npackage peers\n\nimport _ "${MODULE}/app/victoria-metrics"\n`,
  );
  go(folder, ['get', `${MODULE}@${VERSION}`]);
  go(folder, ['build', '-mod=mod', '-o', BINARY, `${MODULE}/app/victoria-metrics`]);
  return binary;
}

function go(folder: string, args: readonly string[]): void {
  const { status } = spawnSync('go', args, { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new Error(`go ${args[0]} ended with ${status}`);
}

export function victoriaMetricsPeer(program: string, options: BodiesOptions): Peer {
  return {
    name: `VictoriaMetrics ${VERSION}`,
    start: async (folder) => {
      const argsOf = (address: string) => [
        `-storageDataPath=${folder}`,
        `-httpListenAddr=${address}`,
        '-retentionPeriod=100y',
        '-selfScrapeInterval=0',
        '-loggerLevel=ERROR',
      ];
      const server = await ServerProcess.start(program, argsOf, '/health');
      return {
        pid: server.pid,
        url: server.url,
        writeUrl: `${server.url}/api/v1/write`,
        // Flushes memory to disk, and makes the samples visible.
        settle: async () => {
          await fetch(`${server.url}/internal/force_flush`);
        },
        answers: () => promqlAnswers(server.url, options, '&nocache=1'),
        stop: async () => {
          await server.stop();
          return folderBytes(folder);
        },
      };
    },
  };
}
