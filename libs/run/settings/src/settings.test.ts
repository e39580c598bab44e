import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { messageOf } from '@tidemark/ports';
import { parseSettings, renderSettings, SETTINGS, type SettingsSources, suggest } from './index.ts';

const file = (value: unknown): SettingsSources['file'] => ({ name: 'my.json', text: JSON.stringify(value) });

describe('settings', () => {
  test('settings have defaults, each of which is within its own range', () => {
    const settings = parseSettings({});
    expect(settings.http.port).toBe(4270);
    expect(settings.grpc.port).toBe(4271);
    expect(settings.dogstatsd.port).toBe(8125);
    expect(settings.completeness.latenessMs).toBeGreaterThan(settings.agent.flushIntervalMs);
    const given = Object.fromEntries(
      SETTINGS.filter(({ kind, default: value }) => kind !== 'boolean' && value !== '' && kind !== 'list').map(
        (one) => [one.flag, `${one.default}`],
      ),
    );
    expect(parseSettings({ flags: given })).toEqual(settings);
  });

  test('a stamp age that consumers do not remember is refused, with the value and the limit', () => {
    expect(parseSettings({ flags: { 'intake-stamp-age-ms': '604800000' } }).intake.stampAgeMs).toBe(604_800_000);
    expect(() => parseSettings({ flags: { 'intake-stamp-age-ms': '604800001' } })).toThrow(
      'intake.stampAgeMs: 604800001, given by --intake-stamp-age-ms (limit: 60000 to 604800000 ms)',
    );
  });

  test('flags have precedence over the environment, and the environment over the file', () => {
    const all = file({ http: { port: 1 }, grpc: { port: 1 }, dogstatsd: { port: 1 } });
    const environment = { TIDEMARK_HTTP_PORT: '2', TIDEMARK_GRPC_PORT: '2', HOME: '/root' };
    const settings = parseSettings({ flags: { 'http-port': '3' }, environment, file: all });
    expect([settings.http.port, settings.grpc.port, settings.dogstatsd.port]).toEqual([3, 2, 1]);
  });

  test('--no-agent, TIDEMARK_NO_AGENT and agent.enabled in the file each disable the agent', () => {
    expect(parseSettings({ flags: { 'no-agent': true } }).agent.enabled).toBe(false);
    expect(parseSettings({ environment: { TIDEMARK_NO_AGENT: '1' } }).agent.enabled).toBe(false);
    expect(parseSettings({ environment: { TIDEMARK_NO_AGENT: 'false' } }).agent.enabled).toBe(true);
    expect(parseSettings({ file: file({ agent: { enabled: false } }) }).agent.enabled).toBe(false);
  });

  test('secret settings have no flag and are not shown', () => {
    const password = 'x'.repeat(2000);
    const message = (sources: SettingsSources): string => {
      try {
        return parseSettings(sources).kafka.saslPassword;
      } catch (error) {
        return messageOf(error);
      }
    };
    expect(message({ environment: { TIDEMARK_KAFKA_SASL_PASSWORD: 'hidden' } })).toBe('hidden');
    expect(message({ flags: { 'kafka-sasl-password': 'hidden' } })).toContain('use TIDEMARK_KAFKA_SASL_PASSWORD');
    expect(message({ flags: { 'kafka-sasl-password': 'hidden' } })).not.toContain('hidden');
    expect(message({ environment: { TIDEMARK_KAFKA_SASL_PASSWORD: password } })).toContain('limit: 0 to 1024 bytes');
    expect(message({ environment: { TIDEMARK_KAFKA_SASL_PASSWORD: password } })).not.toContain('xx');
    expect(renderSettings()).not.toContain('--kafka-sasl-password ');
  });

  test('unknown settings are refused, with the nearest known one', () => {
    const refused = (sources: SettingsSources): string => {
      try {
        parseSettings(sources);
      } catch (error) {
        return messageOf(error);
      }
      throw new Error('not refused');
    };
    expect(refused({ flags: { 'htp-port': '1' } })).toContain('did you mean --http-port?');
    expect(refused({ environment: { TIDEMARK_GRCP_PORT: '1' } })).toContain('did you mean TIDEMARK_GRPC_PORT?');
    expect(refused({ file: file({ htpp: {} }) })).toContain('my.json: htpp is not a setting; did you mean http?');
    expect(refused({ file: file({ http: { prot: 1 } }) })).toContain('did you mean http.port?');
    expect(refused({ file: file({ __proto__x: {} }) })).toContain('docs/settings.md');
    expect(refused({ file: file([1]) })).toContain('must be an object');
    expect(refused({ file: { name: 'my.json', text: '{' } })).toContain('my.json: not JSON');
    expect(refused({ environment: { TIDEMARK_PORT: '4270' } })).toMatch(
      /did you mean TIDEMARK_HTTP_PORT or .*TIDEMARK_GRPC_PORT/,
    );
    expect(refused({ environment: { TIDEMARK_HSOT: '::1' } })).toContain('did you mean TIDEMARK_HOST?');
    expect(refused({ environment: { TIDEMARK_COMPLETENESS_LATENESS: '3' } })).toContain('COMPLETENESS_LATENESS_MS?');
  });

  test.each(['tidemark', 'tidemark-http', 'tidemark-grpc', 'tidemark-agent-status', 'tidemark-service'])(
    'variables that Kubernetes sets for a Service %s are ignored by name',
    (service) => {
      const name = service.replaceAll('-', '_').toUpperCase();
      const address = 'tcp://10.0.0.1:4270';
      const environment = {
        ...{ [`${name}_SERVICE_HOST`]: '10.0.0.1', [`${name}_SERVICE_PORT`]: '4270' },
        ...{ [`${name}_SERVICE_PORT_HTTP`]: '4270', [`${name}_PORT`]: address, [`${name}_PORT_4270_TCP`]: address },
        ...{ [`${name}_PORT_4270_TCP_PROTO`]: 'tcp', [`${name}_PORT_4270_TCP_PORT`]: '4270' },
        ...{ [`${name}_PORT_4270_TCP_ADDR`]: '10.0.0.1', [`${name}_PORT_8125_UDP`]: 'udp://10.0.0.1:8125' },
      };
      const ignored: string[] = [];
      const settings = parseSettings({ environment, onIgnored: (variables) => ignored.push(...variables) });
      expect(settings).toEqual(parseSettings({}));
      expect(ignored.sort()).toEqual(Object.keys(environment).sort());
    },
  );

  test('unknown variables that are near to no setting are ignored by name', () => {
    const ignored: string[] = [];
    const environment = { TIDEMARK_VERSION: '1', TIDEMARK_IMAGE_TAG: 'v1', TIDEMARK_ENV: 'prod', TIDEMARK_KEY: 'k' };
    parseSettings({ environment, onIgnored: (variables) => ignored.push(...variables) });
    expect(ignored).toEqual(['TIDEMARK_VERSION', 'TIDEMARK_IMAGE_TAG', 'TIDEMARK_ENV']);
  });

  test('values out of range are refused all at once, with key, value, source and limit', () => {
    const sources: SettingsSources = {
      flags: { 'http-port': '65536', 'lane-linger-ms': 'soon', data: '' },
      environment: { TIDEMARK_STORE_THREADS: '1.5', TIDEMARK_LOG_LEVEL: 'loud' },
      file: file({ point: { tags: '7' }, dogstatsd: { sampleRate: 0 }, agent: { enabled: 'yes' } }),
    };
    const lines = [
      'data.folder: , given by --data (limit: 1 to 4096 bytes)',
      'http.port: 65536, given by --http-port (limit: 0 to 65535)',
      'agent.enabled: yes, given by my.json (one of: true, false)',
      'dogstatsd.sampleRate: 0, given by my.json (limit: above 0, up to 1 rate)',
      'events.level: loud, given by TIDEMARK_LOG_LEVEL (one of: fatal, error, warn, info, debug, silent)',
      'point.tags: 7, given by my.json (limit: 0 to 1000 tags)',
      'lane.lingerMs: soon, given by --lane-linger-ms (limit: 0 to 10000 ms)',
      'store.threads: 1.5, given by TIDEMARK_STORE_THREADS (limit: 1 to 256 threads)',
    ];
    expect(() => parseSettings(sources)).toThrow(lines.join('\n'));
  });

  test('lists of texts are separated by commas or JSON, and lists of objects are JSON with a default for each key', () => {
    const tagsOf = (tags: string): readonly string[] => parseSettings({ flags: { 'agent-tags': tags } }).agent.tags;
    expect(tagsOf('env:prod, team:a,')).toEqual(['env:prod', 'team:a']);
    expect(tagsOf('["a,b"]')).toEqual(['a,b']);
    expect(tagsOf('')).toEqual([]);
    const [target] = parseSettings({ environment: { TIDEMARK_SCRAPE_TARGETS: '[{"url":"http://a:1/metrics"}]' } })
      .scrape.targets;
    expect(target).toMatchObject({ url: 'http://a:1/metrics', intervalMs: 15_000, tags: [], caFile: '' });
  });

  test('values within lists are refused with their place and the key that was meant', () => {
    const targets = [{ url: '', samples: 0, tags: ['a', ''] }, { ulr: 'http://a' }, 7];
    const lines = [
      'agent.tags[1]: 5, given by my.json (limit: at most 100, each of 1 to 200 bytes)',
      'scrape.targets[0].url: , given by my.json (limit: 1 to 4096 bytes)',
      'scrape.targets[0].tags[1]: , given by my.json (limit: at most 20, each of 1 to 200 bytes)',
      'scrape.targets[0].samples: 0, given by my.json (limit: 1 to 10000000 samples)',
      'scrape.targets[1].url: missing, given by my.json (limit: 1 to 4096 bytes)',
      'scrape.targets[1].ulr is not a setting; did you mean url?, given by my.json',
      'scrape.targets[2]: 7, given by my.json (limit: at most 1000 objects)',
    ];
    expect(() => parseSettings({ file: file({ scrape: { targets }, agent: { tags: ['a', 5] } }) })).toThrow(
      lines.join('\n'),
    );
    expect(() => parseSettings({ flags: { 'scrape-targets': 'http://a' } })).toThrow(
      'scrape.targets: http://a, given by --scrape-targets (limit: at most 1000 objects)',
    );
    expect(() => parseSettings({ flags: { 'scrape-targets': '[{' } })).toThrow('scrape.targets: [{');
  });

  test('URLs that can not be scraped are refused, without a password', () => {
    const targets = [{ url: 'ftp://a/metrics' }, { url: 'http://a/metrics' }, { url: 'http://me:secret@a:1/' }];
    const lines = [
      'scrape.targets[0].url: scrape target ftp://a/metrics is not an http or https URL, given by my.json',
      'scrape.targets[2].url: scrape target a:1 has a user in its URL, which would appear in logs; use authorizationFile, given by my.json',
    ];
    expect(() => parseSettings({ file: file({ scrape: { targets } }) })).toThrow(lines.join('\n'));
  });

  test('a wrong value is refused also where a later source replaces it', () => {
    const sources = { file: file({ http: { port: 'abc' } }), environment: { TIDEMARK_HTTP_PORT: '70000' } };
    const lines = [
      'http.port: abc, given by my.json (limit: 0 to 65535)',
      'http.port: 70000, given by TIDEMARK_HTTP_PORT (limit: 0 to 65535)',
    ];
    expect(() => parseSettings({ ...sources, flags: { 'http-port': '4270' } })).toThrow(lines.join('\n'));
  });

  test('settings that contradict each other are refused', () => {
    expect(() => parseSettings({ flags: { 'store-bucket-ms': '700000' } })).toThrow(/store.bucketMs: 700000/);
  });

  test('a retention that is shorter than a bucket, as a number of days would be, is refused', () => {
    const retention = (text: string) => parseSettings({ flags: { 'store-retention-ms': text } }).store.retentionMs;
    expect(() => retention('30')).toThrow(
      'store.retentionMs: 30 (limit: 0, or at least store.bucketMs, which is 7200000)',
    );
    expect([retention('0'), retention('7200000')]).toEqual([0, 7_200_000]);
  });

  test('archived days are kept as long as those of the stores', () => {
    const kept = (archived: string, stored: string) =>
      parseSettings({ flags: { 'archive-retention-ms': archived, 'store-retention-ms': stored } }).archive.retentionMs;
    expect([kept('0', '0'), kept('0', '7200000'), kept('7200000', '7200000')]).toEqual([0, 0, 7_200_000]);
    expect(() => kept('7200000', '7200001')).toThrow(
      'archive.retentionMs: 7200000 (limit: 0, or at least store.retentionMs, which is 7200001)',
    );
    expect(() => kept('7200000', '0')).toThrow('archive.retentionMs: 7200000 (limit: 0, as store.retentionMs)');
  });

  test('settings have one spelling each and are all in the reference', () => {
    for (const spelling of ['key', 'flag', 'variable'] as const) {
      expect(new Set(SETTINGS.map((setting) => setting[spelling])).size).toBe(SETTINGS.length);
    }
    const reference = readFileSync(new URL('../../../../docs/settings.md', import.meta.url), 'utf8');
    expect(reference).toBe(renderSettings());
  });

  test('the examples of the documentation are valid settings', () => {
    const page = readFileSync(new URL('../../../../docs/agent.md', import.meta.url), 'utf8');
    const shown = [...page.matchAll(/```json\n(.*?)```/gs)].map(([, text]) => text);
    expect(shown.length).toBeGreaterThan(0);
    for (const text of shown) parseSettings({ file: { name: 'docs/agent.md', text } });
  });

  test('a suggestion is made only for a word that is near', () => {
    expect(suggest('http-prot', ['http-port', 'grpc-port'])).toBe('http-port');
    expect(suggest('xyzzy', ['http-port', 'grpc-port'])).toBeUndefined();
  });
});
