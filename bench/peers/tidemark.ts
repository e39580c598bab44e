import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { BodiesOptions } from '../remote-write/bodies.ts';
import { folderBytes } from '../whole-path/folder-bytes.ts';
import type { FromPlatform } from '../whole-path/messages.ts';
import { counted, message, start } from '../whole-path/run.ts';
import { answersOf, json } from './answers.ts';
import type { Peer } from './peer.ts';

/** Tidemark in one process. */
export function tidemarkPeer(options: BodiesOptions): Peer {
  return {
    name: 'Tidemark',
    start: async (folder, nowMs = options.startMs) => {
      const platform = start('platform-process.ts', [folder, String(nowMs)]);
      const { httpPort } = await message<FromPlatform, 'ready'>(platform, 'ready');
      const url = `http://127.0.0.1:${httpPort}`;
      return {
        pid: pidOf(platform),
        url,
        writeUrl: `${url}/api/v1/write`,
        setClock: (timeMs) => platform.send({ type: 'clock', nowMs: timeMs }),
        settle: async (points) => {
          await counted(platform, points);
        },
        answers: () => tidemarkAnswers(url, options),
        stop: async () => {
          platform.send({ type: 'stop' });
          await once(platform, 'exit');
          // The log is not permanent: it is trimmed below the commits of the stores.
          return folderBytes(join(folder, 'points')) + folderBytes(join(folder, 'tags'));
        },
      };
    },
  };
}

function tidemarkAnswers(url: string, { startMs, stepMs, rounds }: BodiesOptions): Promise<Map<string, string>> {
  const from = startMs / 1000;
  const to = (startMs + rounds * stepMs) / 1000;
  return answersOf(async (metric, fold) => {
    const query = `sum:${metric}{*} by {region}.rollup(${fold}, 86400)`;
    const answer = await json(`${url}/api/v1/query?query=${encodeURIComponent(query)}&from=${from}&to=${to}`);
    const { series } = answer as { series: { scope: string; pointlist: [number, number][] }[] };
    const sum = (points: [number, number][]) => points.reduce((total, [, value]) => total + value, 0);
    return new Map(series.map(({ scope, pointlist }) => [scope.replace(/^region:/, ''), sum(pointlist)]));
  });
}

function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error('the platform process has no pid: it did not start');
  return pid;
}
