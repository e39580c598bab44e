import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../process/eventually.ts';

export interface PrometheusOptions {
  readonly program: string;
  readonly folder: string;
  readonly port: number;
  /** URL for its remote write. */
  readonly writeUrl: string;
}

const READY_MS = 60_000;

/** A Prometheus that scrapes itself each second and writes what it scrapes to a remote. */
export class PrometheusServer {
  readonly #child: ChildProcess;
  readonly #url: string;
  readonly #logFile: string;

  private constructor(child: ChildProcess, url: string, logFile: string) {
    this.#child = child;
    this.#url = url;
    this.#logFile = logFile;
  }

  static async start({ program, folder, port, writeUrl }: PrometheusOptions): Promise<PrometheusServer> {
    await mkdir(folder, { recursive: true });
    const config = join(folder, 'prometheus.yml');
    // YAML is a superset of JSON.
    await writeFile(
      config,
      JSON.stringify({
        global: { scrape_interval: '1s', scrape_timeout: '1s' },
        scrape_configs: [{ job_name: 'prometheus', static_configs: [{ targets: [`127.0.0.1:${port}`] }] }],
        remote_write: [
          { url: writeUrl, queue_config: { batch_send_deadline: '1s', min_backoff: '100ms', max_backoff: '1s' } },
        ],
      }),
    );
    const logFile = join(folder, 'prometheus.log');
    const log = createWriteStream(logFile);
    await once(log, 'open');
    const child = spawn(
      program,
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=warn',
      ],
      { stdio: ['ignore', log, log] },
    );
    const server = new PrometheusServer(child, `http://127.0.0.1:${port}`, logFile);
    await eventually('Prometheus to be ready', async () => (await fetch(`${server.#url}/-/ready`)).ok, READY_MS, 200);
    return server;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Returns its log, which has only warnings and errors. */
  log(): Promise<string> {
    return readFile(this.#logFile, 'utf8');
  }

  /** Names of the metrics with samples in [fromMs, toMs). */
  async metrics(fromMs: number, toMs: number): Promise<string[]> {
    const range = `start=${fromMs / 1000}&end=${toMs / 1000}&match[]=${encodeURIComponent('{job="prometheus"}')}`;
    return (await this.#get(`/api/v1/label/__name__/values?${range}`)) as string[];
  }

  /** Samples of a metric with timestamps in [fromMs, toMs): how many are numbers, and how many are NaN. */
  async samples(metric: string, fromMs: number, toMs: number): Promise<{ numbers: number; nans: number }> {
    // Its ranges are open on the left and closed on the right: (to - 1 - range, to - 1] is [from, to) in whole ms.
    const query = `{__name__=${JSON.stringify(metric)},job="prometheus"}[${toMs - fromMs}ms]`;
    const at = `time=${(toMs - 1) / 1000}`;
    const { result } = (await this.#get(`/api/v1/query?query=${encodeURIComponent(query)}&${at}`)) as {
      result: { values?: [number, string][] }[];
    };
    const values = result.flatMap((series) => series.values ?? []);
    const nans = values.filter(([, value]) => value === 'NaN').length;
    return { numbers: values.length - nans, nans };
  }

  async #get(path: string): Promise<unknown> {
    const reply = await fetch(`${this.#url}${path}`);
    const body = (await reply.json()) as { status: string; data: unknown; error?: string };
    if (body.status !== 'success') throw new Error(`Prometheus answers ${path} with ${body.error}`);
    return body.data;
  }

  async stop(): Promise<void> {
    if (!this.isRunning) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}
