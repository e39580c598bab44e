import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROMETHEUS_VERSION } from '../../e2e/prometheus/build.ts';
import type { BodiesOptions } from '../remote-write/bodies.ts';
import { folderBytes } from '../whole-path/folder-bytes.ts';
import { promqlAnswers } from './answers.ts';
import type { Peer } from './peer.ts';
import { ServerProcess } from './server-process.ts';

/** Prometheus as a receiver of remote write, without scrapes. Samples arrive in order, so it needs no other option. */
export function prometheusPeer(program: string, options: BodiesOptions): Peer {
  return {
    name: `Prometheus ${PROMETHEUS_VERSION}`,
    start: async (folder) => {
      const data = join(folder, 'data');
      const config = join(folder, 'prometheus.yml');
      await mkdir(folder, { recursive: true });
      await writeFile(config, '{}');
      const argsOf = (address: string) => [
        `--config.file=${config}`,
        `--storage.tsdb.path=${data}`,
        '--storage.tsdb.retention.time=100y',
        `--web.listen-address=${address}`,
        '--web.enable-remote-write-receiver',
        '--web.enable-admin-api',
        '--log.level=error',
      ];
      const server = await ServerProcess.start(program, argsOf, '/-/ready');
      return {
        pid: server.pid,
        url: server.url,
        writeUrl: `${server.url}/api/v1/write`,
        // Acknowledged samples are visible at once.
        settle: async () => undefined,
        answers: () => promqlAnswers(server.url, options),
        stop: async () => {
          // All data is still in the write-ahead log. A snapshot has it as the block that it would become.
          const reply = await fetch(`${server.url}/api/v1/admin/tsdb/snapshot`, { method: 'POST' });
          const { data: snapshot } = (await reply.json()) as { data: { name: string } };
          await server.stop();
          return folderBytes(join(data, 'snapshots', snapshot.name));
        },
      };
    },
  };
}
