import { readFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { CheckSink } from '@tidemark/checks';
import type { Clock } from '@tidemark/ports';
import type { MetricText } from './described-metrics.ts';
import { ScrapeCheck, scrapeChecks } from './scrape-check.ts';
import type { ScrapeTarget } from './scrape-target.ts';

const CLOCK: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer: (delayMs, task) => {
    const timer = setTimeout(task, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};
const SECRETS: Readonly<Record<string, string>> = { 'good.key': 'Bearer of-all\n', 'bad.key': 'two\nlines' };
const PORTS = { clock: CLOCK, readText: async (path: string) => SECRETS[path] ?? readFile(path, 'utf8') };
const TEXT = { 'content-type': 'text/plain; version=0.0.4' };
const TLS = fileURLToPath(new URL('./testdata/tls/', import.meta.url));

/** Records `kind metric{tags} @time = value`, without the duration, which varies. */
class Readings implements CheckSink {
  readonly lines: string[] = [];
  readonly durations: number[] = [];

  gauge(metric: string, value: number, tags: readonly string[] = [], timestampMs?: number): void {
    if (metric.endsWith('.duration_ms')) this.durations.push(value);
    else this.lines.push(`gauge ${metric}{${tags.join(',')}}${at(timestampMs)} = ${value}`);
  }

  count(metric: string, value: number, tags: readonly string[] = []): void {
    this.lines.push(`count ${metric}{${tags.join(',')}} = ${value}`);
  }

  counter(metric: string, value: number, tags: readonly string[] = [], timestampMs?: number): void {
    this.lines.push(`counter ${metric}{${tags.join(',')}}${at(timestampMs)} = ${value}`);
  }

  reading(metric: string, value: number, tags: readonly string[] = []): void {
    this.lines.push(`reading ${metric}{${tags.join(',')}} = ${value}`);
  }

  end(metric: string, kind: string, tags: readonly string[] = []): void {
    this.lines.push(`end ${kind} ${metric}{${tags.join(',')}}`);
  }

  describe(metric: string, text: MetricText): void {
    this.lines.push(`${metric} is ${JSON.stringify(text)}`);
  }
}

const at = (timestampMs: number | undefined): string => (timestampMs === undefined ? '' : ` @${timestampMs}`);

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function listen(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const exporter = (answer: RequestListener): Promise<string> => listen(createServer(answer));

/** Scrapes once; the target is called `me`. */
async function scrape(target: ScrapeTarget) {
  const problems: unknown[] = [];
  const onProblem = (_: string, detail: unknown): void => void problems.push(detail);
  const check = new ScrapeCheck({ instance: 'me', ...target }, { ...PORTS, onProblem });
  const readings = new Readings();
  const error = await check.run(readings, new AbortController().signal).then(
    () => '',
    (reason: Error) => reason.message,
  );
  expect(readings.durations.length).toBe(1);
  return { lines: readings.lines, error, check, problems };
}

const DOWN = ['gauge tidemark.agent.scrape.up{instance:me} = 0'];

describe('a scrape', () => {
  test('reports samples with tags and kinds, and its own metrics', async () => {
    const headers: unknown[] = [];
    const host = await exporter((request, response) => {
      headers.push(request.headers);
      response.writeHead(200, {
        'content-type': 'application/openmetrics-text; version=1.0.0',
        'content-encoding': 'gzip',
      });
      response.end(
        gzipSync(
          '# TYPE jobs counter\njobs_total{instance="inner",queue="a",none=""} 7\njobs_created 1\nnot good\nx NaN\n# EOF\n',
        ),
      );
    });
    const { lines, error, check, problems } = await scrape({
      url: `http://${host}/metrics`,
      tags: ['env:test'],
      prefix: 'shop.',
    });
    expect(error).toBe('');
    const own = 'instance:me,env:test';
    expect(lines).toEqual([
      `counter shop.jobs_total{${own},exported_instance:inner,queue:a} = 7`,
      'shop.jobs_total is {"kind":"counter"}',
      `gauge tidemark.agent.scrape.samples{${own}} = 1`,
      `count tidemark.agent.scrape.rejected{${own},reason:value_invalid} = 1`,
      `count tidemark.agent.scrape.rejected{${own},reason:value_nan} = 1`,
      `gauge tidemark.agent.scrape.up{${own}} = 1`,
    ]);
    expect(check.detail()).toMatchObject({ samples: 1, value_invalid: '1, first in line 4: not good' });
    expect(problems).toEqual([{ check: 'scrape me', reason: 'value_invalid', line: '4', example: 'not good' }]);
    // NaN is what a summary without observations has by design.
    expect(check.leftOut()).toEqual([{ reason: 'value_invalid', count: 1, example: 'scrape me, line 4: not good' }]);
    expect(headers[0]).toMatchObject({
      accept: expect.stringMatching(
        /^application\/openmetrics-text;version=1.0.0;q=0.9,text\/plain;version=0.0.4;q=0.6/,
      ),
      'accept-encoding': 'gzip',
      'x-prometheus-scrape-timeout-seconds': '10',
    });
  });

  test('states type, unit and help of metrics when they change, wherever the lines stand', async () => {
    let help = 'Size of a request,\\nwith \\\\ headers';
    const host = await exporter((_, response) => {
      response.writeHead(200, { 'content-type': 'application/openmetrics-text; version=1.0.0' });
      const samples = 'size_bytes_bucket{le="1"} 1\nsize_bytes_count 1\nsize_bytes_sum 1\nload 2\n';
      const lines = `# HELP load Load\n# UNIT size_bytes bytes\n# TYPE size_bytes histogram\n# HELP size_bytes ${help}\n`;
      response.end(`${samples}${lines}# HELP absent No samples\n# HELP load second\n# UNIT load \n# EOF\n`);
    });
    const check = new ScrapeCheck({ url: `http://${host}/`, prefix: 'web.' }, PORTS);
    const described = async (): Promise<string[]> => {
      const readings = new Readings();
      await check.run(readings, new AbortController().signal);
      return readings.lines.filter((line) => line.includes(' is '));
    };
    const description = 'Size of a request,\nwith \\ headers';
    expect(await described()).toEqual([
      `web.size_bytes_bucket is ${JSON.stringify({ kind: 'counter', description })}`,
      `web.size_bytes_count is ${JSON.stringify({ kind: 'counter', description })}`,
      `web.size_bytes_sum is ${JSON.stringify({ kind: 'counter', unit: 'bytes', description })}`,
      'web.load is {"description":"Load"}',
    ]);
    expect(await described()).toEqual([]);
    help = 'Size';
    expect(await described()).toHaveLength(3);
  });

  test('leaves out only the series whose names or tags exceed the limits of a point', async () => {
    const host = await exporter((_, response) => {
      response.writeHead(200, TEXT);
      response.end(
        `${'m'.repeat(201)} 1\na{b="${'v'.repeat(4352)}"} 1\na{b="new\\nline\t\ufffd"} 1\n{"h","le:x"="1.0"} 1\nh{le="1.0"} 1\na{b="c"} 1\n`,
      );
    });
    expect((await scrape({ url: `http://${host}/` })).lines).toEqual([
      'reading a{instance:me,b:new\nline\t\ufffd} = 1',
      'reading h{instance:me,le%3Ax:1.0} = 1',
      'reading h{instance:me,le:1} = 1',
      'reading a{instance:me,b:c} = 1',
      'gauge tidemark.agent.scrape.samples{instance:me} = 4',
      'count tidemark.agent.scrape.rejected{instance:me,reason:metric_too_long} = 1',
      'count tidemark.agent.scrape.rejected{instance:me,reason:tag_too_long} = 1',
      'gauge tidemark.agent.scrape.up{instance:me} = 1',
    ]);
  });

  test('keeps the timestamps of a body, also of one series at two times, unless the target says otherwise', async () => {
    const host = await exporter((_, response) => {
      response.writeHead(200, TEXT);
      response.end('# TYPE a counter\na 1 1700000000000\na 2 1700000005000\na 3 1700000005000\nb 4\n');
    });
    const own = [
      'a is {"kind":"counter"}',
      'gauge tidemark.agent.scrape.samples{instance:me} = 4',
      'gauge tidemark.agent.scrape.up{instance:me} = 1',
    ];
    expect((await scrape({ url: `http://${host}/` })).lines).toEqual([
      'counter a{instance:me} @1700000000000 = 1',
      'counter a{instance:me} @1700000005000 = 2',
      'counter a{instance:me} @1700000005000 = 3',
      'reading b{instance:me} = 4',
      ...own,
    ]);
    expect((await scrape({ url: `http://${host}/`, honorTimestamps: false })).lines).toEqual([
      'counter a{instance:me} = 1',
      'counter a{instance:me} = 2',
      'counter a{instance:me} = 3',
      'reading b{instance:me} = 4',
      ...own,
    ]);
  });

  test('keeps the complete lines within the limit of a body, compressed or not', async () => {
    const body = Array.from({ length: 100_000 }, (_, i) => `a{i="${i}"} 1\n`).join('');
    for (const encoding of ['identity', 'gzip']) {
      const host = await exporter((_, response) => {
        response.writeHead(200, { ...TEXT, 'content-encoding': encoding });
        response.end(encoding === 'gzip' ? gzipSync(body) : body);
      });
      const { lines, check } = await scrape({ url: `http://${host}/`, bodyBytes: 30 });
      expect(lines).toEqual([
        'reading a{instance:me,i:0} = 1',
        'reading a{instance:me,i:1} = 1',
        'gauge tidemark.agent.scrape.samples{instance:me} = 2',
        'count tidemark.agent.scrape.rejected{instance:me,reason:body_bytes_limit} = 1',
        'gauge tidemark.agent.scrape.up{instance:me} = 1',
      ]);
      expect(check.detail()).toMatchObject({ bytes: 30, body_bytes_limit: 'cut at 30 bytes' });
    }
  });

  test('follows redirects on the same host, up to the limit', async () => {
    const host = await exporter((request, response) => {
      if (request.url === '/metrics') response.writeHead(200, TEXT).end('a 1\n');
      else if (request.url === '/once') response.writeHead(302, { location: '/metrics' }).end('moved');
      else if (request.url === '/away') response.writeHead(302, { location: 'http://localhost:1/metrics' }).end();
      else response.writeHead(307, { location: '/round' }).end();
    });
    expect((await scrape({ url: `http://${host}/once` })).lines).toContain('reading a{instance:me} = 1');
    const away = await scrape({ url: `http://${host}/away` });
    expect(away).toMatchObject({
      lines: DOWN,
      error: 'redirect to http://localhost:1 (limit: same host, same protocol or https)',
    });
    const round = await scrape({ url: `http://${host}/round` });
    expect(round).toMatchObject({ lines: DOWN, error: 'too many redirects (limit: 3)' });
    expect(await scrape({ url: `http://${host}/once`, redirects: 0 })).toMatchObject({ lines: DOWN });
  });

  test('fails with the reason for HTML, an error status, another encoding, or half a response', async () => {
    const host = await exporter((request, response) => {
      if (request.url === '/page') response.writeHead(200, { 'content-type': 'text/html' }).end('a 1\n');
      else if (request.url === '/503') response.writeHead(503, TEXT).end('a 1\n');
      else if (request.url === '/br') response.writeHead(200, { ...TEXT, 'content-encoding': 'br' }).end('a 1\n');
      else if (request.url === '/not-gzip')
        response.writeHead(200, { ...TEXT, 'content-encoding': 'gzip' }).end('a 1\n');
      else {
        response.writeHead(200, { ...TEXT, 'content-length': '100' });
        response.write('a 1\n', () => response.destroy());
      }
    });
    for (const [path, error] of [
      ['page', 'content-type: text/html (limit: text/plain or application/openmetrics-text)'],
      ['503', 'HTTP status: 503 (limit: 200)'],
      ['br', 'content-encoding: br (limit: gzip or none)'],
      ['not-gzip', 'incorrect header check'],
      ['half', 'aborted'],
    ]) {
      expect(await scrape({ url: `http://${host}/${path}` })).toMatchObject({ lines: DOWN, error });
    }
  });

  test('fails within the timeout for a target that hangs or is unreachable', async () => {
    const host = await exporter((request, response) => {
      // The timeout ends the wait for an absent response, and for an endless one.
      if (request.url === '/slow') response.writeHead(200, TEXT).write('a 1\n');
    });
    for (const path of ['silent', 'slow']) {
      const { lines, error } = await scrape({ url: `http://${host}/${path}`, timeoutMs: 100 });
      expect({ lines, error }).toEqual({ lines: DOWN, error: 'no complete response within 100 ms' });
    }
    const { lines, error } = await scrape({ url: 'http://127.0.0.1:1/metrics' });
    expect(lines).toEqual(DOWN);
    expect(error).toContain('ECONNREFUSED');
  });

  test('ends at once without readings when the agent stops', async () => {
    let asked = (): void => undefined;
    const beingAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const host = await exporter(() => asked());
    const check = new ScrapeCheck({ url: `http://${host}/` }, PORTS);
    const stop = new AbortController();
    const readings = new Readings();
    const run = check.run(readings, stop.signal);
    await beingAsked;
    stop.abort();
    await expect(run).rejects.toMatchObject({ code: 'cancelled' });
    expect(readings.lines).toEqual([]);
  });

  test('uses TLS with a certificate of its own, and sends a key in the header', async () => {
    const seen: (string | undefined)[] = [];
    const [key, cert] = await Promise.all(['key.pem', 'certificate.pem'].map((name) => readFile(`${TLS}${name}`)));
    const server = createTlsServer({ key, cert }, (request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(200, TEXT).end('a 1\n');
    });
    const host = await listen(server);
    const untrusted = await scrape({ url: `https://${host}/` });
    expect(untrusted).toMatchObject({ lines: DOWN, error: expect.stringContaining('self-signed') });
    const caFile = `${TLS}certificate.pem`;
    const broken = await scrape({ url: `https://${host}/`, caFile, authorizationFile: 'bad.key' });
    expect(broken).toMatchObject({ lines: DOWN, error: expect.stringContaining('Invalid character in header') });
    const good = await scrape({ url: `https://${host}/`, caFile, authorizationFile: 'good.key' });
    expect(good.lines).toContain('reading a{instance:me} = 1');
    expect(seen).toEqual(['Bearer of-all']);
    const missing = await scrape({ url: `https://${host}/`, caFile: `${TLS}none.pem` });
    expect(missing).toMatchObject({ lines: DOWN, error: expect.stringContaining('ENOENT') });
  });
});

describe('a series ends', () => {
  const gauge = (line: string): string => `# TYPE depth gauge\n# TYPE jobs counter\n${line}\n`;

  /** Scrapes a target that answers with one body after the other; undefined: with an error. Returns what each scrape ended. */
  async function ends(bodies: readonly (string | undefined)[], target: Partial<ScrapeTarget> = {}) {
    let at = 0;
    const host = await exporter((_, response) => {
      const body = bodies[at++];
      response.writeHead(body === undefined ? 503 : 200, TEXT).end(body);
    });
    const check = new ScrapeCheck({ instance: 'me', ...target, url: `http://${host}/` }, PORTS);
    const ended: string[][] = [];
    for (const body of bodies) {
      const readings = new Readings();
      const run = check.run(readings, new AbortController().signal);
      await (body === undefined ? expect(run).rejects.toThrow('HTTP status: 503') : run);
      expect(readings.lines).toContain(`gauge tidemark.agent.scrape.up{instance:me} = ${body === undefined ? 0 : 1}`);
      ended.push(readings.lines.filter((line) => line.startsWith('end ')));
    }
    return ended;
  }

  test('with the first scrape that does not have it, once, and again after it came back', async () => {
    const both = gauge('depth{q="a"} 1\njobs_total 2\nother 3');
    const one = gauge('jobs_total 2');
    expect(await ends([both, one, one, both, both, one, ''])).toEqual([
      [],
      ['end gauge depth{instance:me,q:a}', 'end reading other{instance:me}'],
      [],
      [],
      [],
      ['end gauge depth{instance:me,q:a}', 'end reading other{instance:me}'],
      ['end counter jobs_total{instance:me}'],
    ]);
  });

  test('with all others of its target when a scrape fails', async () => {
    const body = gauge('depth 1\njobs_total 2');
    const all = ['end gauge depth{instance:me}', 'end counter jobs_total{instance:me}'];
    expect(await ends([undefined, body, undefined, undefined, body, undefined])).toEqual([[], [], all, [], [], all]);
  });

  test('when its sample is left out: NaN, an invalid value, or one beyond a limit', async () => {
    const end = ['end gauge depth{instance:me}'];
    for (const line of ['depth NaN', 'depth x', 'jobs_total 2\ndepth 1']) {
      expect(await ends([gauge('depth 1'), gauge(line)], { samples: 1 })).toEqual([[], end]);
    }
  });

  test('not when its type or its spelling changes, nor when its samples state their times', async () => {
    const labels = (text: string): string => gauge(`depth{${text}} 1`);
    const renamed = [labels('a="1",b="2",c=""'), labels('b="2",a="1"')];
    expect(await ends(renamed)).toEqual([[], []]);
    expect(await ends([gauge('depth 1'), '# TYPE depth counter\ndepth 1\n', 'depth 1\n'])).toEqual([[], [], []]);
    expect(await ends([gauge('depth 1 1700000000000'), ''])).toEqual([[], []]);
    expect(await ends([gauge('depth 1'), gauge('depth 1 1700000000000'), undefined])).toEqual([[], [], []]);
    const ignored = await ends([gauge('depth 1 1700000000000'), ''], { honorTimestamps: false });
    expect(ignored).toEqual([[], ['end gauge depth{instance:me}']]);
  });
});

describe('targets', () => {
  test('are spread over their interval, each with a phase that a restart keeps', () => {
    const targets = Array.from({ length: 200 }, (_, i) => ({ url: `http://10.0.0.${i}:9100/metrics` }));
    const phases = scrapeChecks(targets, PORTS).map(({ phaseMs }) => phaseMs ?? -1);
    expect(scrapeChecks(targets, PORTS).map(({ phaseMs }) => phaseMs)).toEqual(phases);
    for (let third = 0; third < 3; third++) {
      const within = phases.filter((phase) => Math.floor(phase / 5_000) === third).length;
      expect(within).toBeGreaterThan(30);
    }
  });

  test('are refused when a URL is invalid, or when two would mix their series', () => {
    const refused = (...targets: ScrapeTarget[]) => expect(() => scrapeChecks(targets, PORTS));
    refused({ url: 'ftp://a' }).toThrow('is not an http or https URL');
    refused({ url: 'a b' }).toThrow('is not an http or https URL');
    for (const url of ['ftp://me:secret@a/', 'http://me:sec@ret@a b/', 'http://me:secret@']) {
      refused({ url }).toThrow(/^scrape target (?!.*(me|sec|ret))\S*:\/\/…@.* is not an http or https URL$/);
    }
    refused({ url: 'http://me:secret@a:1/' }).toThrow(
      'scrape target a:1 has a user in its URL, which would appear in logs',
    );
    refused({ url: 'http://a:1/x' }, { url: 'http://a:1/y' }).toThrow('two scrape targets have the tags instance:a:1');
    refused({ url: 'http://a:1/', tags: ['x'.repeat(4353)] }).toThrow('tag: 4353 bytes');
    expect(scrapeChecks([{ url: 'http://a:1/x' }, { url: 'http://a:1/y', instance: 'y' }], PORTS).length).toBe(2);
  });
});
