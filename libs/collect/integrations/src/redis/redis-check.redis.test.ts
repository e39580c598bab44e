import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from '@jest/globals';
import { SystemClock } from '@tidemark/node-runtime';
import { Readings } from '../testing/readings.ts';
import { RedisServer } from '../testing/redis-server.ts';
import { REDIS_START_MS, redisSuite } from '../testing/redis-suite.ts';
import { RedisCheck } from './redis-check.ts';
import type { RedisInstance } from './redis-instance.ts';

const TLS = fileURLToPath(new URL('../testdata/tls/', import.meta.url));
const FILES: Readonly<Record<string, string>> = { password: 'secret\n', wrong: 'guess' };
const DEADLINE_MS = 60_000;

await redisSuite('a real Redis', () => {
  const ends: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });

  async function start(argumentsOf?: (port: number) => readonly string[]): Promise<RedisServer> {
    const server = await RedisServer.start(argumentsOf);
    ends.push(() => server.stop());
    return server;
  }

  function checkOf(instance: RedisInstance) {
    const clock = new SystemClock();
    const { readFile } = process.getBuiltinModule('node:fs/promises');
    const readText = async (path: string): Promise<string> => FILES[path] ?? readFile(path, 'utf8');
    const check = new RedisCheck(instance, { clock, readText });
    ends.push(() => check.close());
    /** Runs once; returns the readings and the error. */
    const run = async (signal = new AbortController().signal): Promise<{ readings: Readings; error: string }> => {
      const readings = new Readings();
      const error = await check.run(readings, signal).then(
        () => '',
        (reason: Error) => reason.message,
      );
      return { readings, error };
    };
    return { check, run };
  }

  async function command(server: RedisServer, ...args: string[]): Promise<void> {
    const { createClient } = await import('@redis/client');
    const client = createClient({ socket: { host: '127.0.0.1', port: server.port } });
    await client.connect();
    await client.sendCommand(args);
    await client.close();
  }

  test(
    'a run reports clients, memory, keys of each database, commands and persistence',
    async () => {
      const server = await start();
      await command(server, 'MSET', 'a', '1', 'b', '2');
      await command(server, 'EXPIRE', 'a', '1000');
      await command(server, 'GET', 'a');
      const { check, run } = checkOf({ address: server.address, tags: ['env:test'], commandStats: true });
      const own = [`redis_host:127.0.0.1`, `redis_port:${server.port}`, 'env:test'];
      const first = await run();
      expect(first.error).toBe('');
      const one = (readings: Readings, metric: string, ...tags: string[]): number => {
        const values = readings.values(metric, ...own, ...tags);
        expect([metric, values.length]).toEqual([metric, 1]);
        return values[0];
      };
      expect(one(first.readings, 'redis.can_connect')).toBe(1);
      expect(one(first.readings, 'redis.net.clients', 'redis_role:master')).toBeGreaterThanOrEqual(1);
      expect(one(first.readings, 'redis.net.maxclients')).toBeGreaterThan(0);
      expect(one(first.readings, 'redis.mem.used')).toBeGreaterThan(100_000);
      expect(one(first.readings, 'redis.keys', 'redis_db:db0')).toBe(2);
      expect(one(first.readings, 'redis.expires', 'redis_db:db0')).toBe(1);
      expect(one(first.readings, 'redis.persist.percent', 'redis_db:db0')).toBe(50);
      expect(one(first.readings, 'redis.rdb.changes_since_last')).toBe(3);
      expect(one(first.readings, 'redis.aof.rewrite')).toBe(0);
      expect(one(first.readings, 'redis.net.slaves')).toBe(0);
      expect(one(first.readings, 'redis.command.usec_per_call', 'command:mset')).toBeGreaterThan(0);
      expect(one(first.readings, 'redis.info.latency_ms')).toBeGreaterThan(0);
      expect(check.detail()).toMatchObject({ role: 'master', version: expect.stringMatching(/^\d+\./) });
      // Rates need two readings; the connection is the same.
      await command(server, 'GET', 'a');
      const second = await run();
      expect(one(second.readings, 'redis.net.commands')).toBeGreaterThan(0);
      expect(one(second.readings, 'redis.stats.keyspace_hits')).toBeGreaterThan(0);
      expect(one(second.readings, 'redis.command.calls', 'command:get')).toBeGreaterThan(0);
    },
    REDIS_START_MS,
  );

  test(
    'a replica and its master report each other',
    async () => {
      const master = await start();
      const replica = await start((port) => ['--port', `${port}`, '--replicaof', '127.0.0.1', `${master.port}`]);
      await command(master, 'SET', 'a', '1');
      const [ofMaster, ofReplica] = [checkOf({ address: master.address }), checkOf({ address: replica.address })];
      const endMs = performance.now() + DEADLINE_MS;
      let readings: Readings;
      do {
        ({ readings } = await ofReplica.run());
        if (performance.now() > endMs) throw new Error('the replica did not catch up');
        await new Promise((resolve) => setTimeout(resolve, 50));
      } while (readings.values('redis.replication.master_link_status', 'redis_role:slave')[0] !== 1);
      expect(readings.values('redis.replication.slave_repl_offset').length).toBe(1);
      const seen = (await ofMaster.run()).readings;
      expect(seen.values('redis.net.slaves', 'redis_role:master')).toEqual([1]);
      expect(seen.values('redis.replication.delay', `slave_port:${replica.port}`).length).toBe(1);
      await master.stop();
      let down: Readings;
      do {
        ({ readings: down } = await ofReplica.run());
        if (performance.now() > endMs) throw new Error('the replica did not miss its master');
        await new Promise((resolve) => setTimeout(resolve, 50));
      } while (down.values('redis.replication.master_link_status')[0] !== 0);
      expect(down.values('redis.replication.master_link_down_since_seconds').length).toBe(1);
    },
    REDIS_START_MS,
  );

  test(
    'a run needs the right password or user, and over TLS a trusted certificate',
    async () => {
      const server = await start((port) => ['--port', `${port}`, '--requirepass', 'secret']);
      const { address } = server;
      expect((await checkOf({ address, passwordFile: 'password' }).run()).error).toBe('');
      const wrong = await checkOf({ address, passwordFile: 'wrong' }).run();
      expect(wrong.readings.values('redis.can_connect')).toEqual([0]);
      expect(wrong.error).toContain('WRONGPASS');
      expect((await checkOf({ address }).run()).error).toContain('NOAUTH');
      expect((await checkOf({ address, passwordFile: 'none' }).run()).error).toContain('ENOENT');

      const open = await start();
      await command(open, 'ACL', 'SETUSER', 'agent', 'on', '>secret', '+info');
      const user = await checkOf({ address: open.address, user: 'agent', passwordFile: 'password' }).run();
      // `+info` is the only permission that such a user needs.
      expect(user.error).toBe('');

      const tls = await start((port) => [
        ...['--port', '0', '--tls-port', `${port}`, '--tls-auth-clients', 'no', '--requirepass', 'secret'],
        ...['--tls-cert-file', `${TLS}certificate.pem`, '--tls-key-file', `${TLS}key.pem`],
        ...['--tls-ca-cert-file', `${TLS}certificate.pem`],
      ]);
      const secure = { address: tls.address, tls: true, passwordFile: 'password' };
      const trusted = await checkOf({ ...secure, caFile: `${TLS}certificate.pem` }).run();
      expect(trusted.error).toBe('');
      expect(trusted.readings.values('redis.can_connect')).toEqual([1]);
      const untrusted = await checkOf(secure).run();
      expect(untrusted.error).toContain('self-signed');
      expect(untrusted.readings.values('redis.can_connect')).toEqual([0]);
    },
    REDIS_START_MS,
  );

  test(
    'a server that freezes or dies is down within the timeout, and up again when it returns',
    async () => {
      const server = await start();
      const { check, run } = checkOf({ address: server.address, timeoutMs: 3_000 });
      expect((await run()).error).toBe('');
      await server.freeze();
      const frozen = await run();
      expect(frozen.error).toBe('no complete response within 3000 ms');
      expect(frozen.readings.values('redis.can_connect')).toEqual([0]);
      expect(check.detail()).toEqual({});
      // An aborted run ends at once and reports nothing.
      const stop = new AbortController();
      const stopped = run(stop.signal);
      stop.abort();
      expect((await stopped).readings.metrics).toEqual([]);
      server.thaw();
      const endMs = performance.now() + DEADLINE_MS;
      while ((await run()).error !== '') if (performance.now() > endMs) throw new Error('it did not come back');
      await server.stop();
      const dead = await run();
      expect(dead.readings.values('redis.can_connect')).toEqual([0]);
      expect(dead.error).toMatch(/ECONNREFUSED|closed/i);
      expect((await run()).error).toContain('ECONNREFUSED');
    },
    REDIS_START_MS,
  );

  test('a server that is not a Redis is down', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.resume();
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ends.push(() => new Promise((resolve) => server.close(resolve)));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const { readings, error } = await checkOf({ address: `127.0.0.1:${port}`, timeoutMs: 5_000 }).run();
    expect(readings.values('redis.can_connect')).toEqual([0]);
    expect(error).not.toBe('');
  });
});
