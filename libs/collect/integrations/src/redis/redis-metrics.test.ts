import { describe, expect, test } from '@jest/globals';
import { Rates } from '@tidemark/checks';
import fc from 'fast-check';
import { Readings } from '../testing/readings.ts';
import { numberOf, parseInfo, parseParts } from './redis-info.ts';
import { endpointOf, redisTags } from './redis-instance.ts';
import { reportInfo } from './redis-metrics.ts';

const REPLY = [
  '# Server',
  'redis_version:7.0.15',
  '',
  '# Clients',
  'connected_clients:3',
  'rdb_last_bgsave_time_sec:-1',
  'role:master',
  'master_repl_offset:1000',
  'slave0:ip=10.0.0.7,port=6380,state=online,offset=900,lag=1',
  'slave1:ip=::1,port=6381,state=online,offset=1001,lag=-1',
  'total_commands_processed:100',
  'db0:keys=10,expires=4,avg_ttl=0',
  'db3:keys=0,expires=0,avg_ttl=0',
  'db4:keys=many,expires=0',
  'cmdstat_get:calls=7,usec=14,usec_per_call=2.00,rejected_calls=0,failed_calls=0',
  'executable:/opt/a:b',
].join('\r\n');

describe('an INFO reply', () => {
  test('parses into fields, some of which have parts', () => {
    const info = parseInfo(REPLY);
    expect(info.get('executable')).toBe('/opt/a:b');
    expect(numberOf(info, 'connected_clients')).toBe(3);
    expect(numberOf(info, 'redis_version')).toBeUndefined();
    expect([...parseParts('a=1,b,c=x=y')]).toEqual([
      ['a', '1'],
      ['c', 'x=y'],
    ]);
  });

  test('becomes metrics under the names of Datadog', () => {
    const rates = new Rates();
    const report = (text: string, nowMs: number, limits = { databases: 8, replicas: 8, commands: 8 }) => {
      const sink = new Readings();
      rates.begin(nowMs);
      const over = reportInfo(parseInfo(text), { sink, tags: ['a:b'], rates, limits });
      return { sink, over };
    };
    const { sink } = report(REPLY, 0);
    expect(sink.values('redis.net.clients', 'a:b')).toEqual([3]);
    expect(sink.values('redis.rdb.last_bgsave_time')).toEqual([]);
    expect(sink.values('redis.net.commands')).toEqual([]);
    expect(sink.values('redis.keys', 'redis_db:db0')).toEqual([10]);
    expect(sink.values('redis.expires.percent', 'redis_db:db0')).toEqual([40]);
    expect(sink.values('redis.persist', 'redis_db:db0')).toEqual([6]);
    expect(sink.values('redis.keys', 'redis_db:db3')).toEqual([0]);
    expect(sink.values('redis.keys', 'redis_db:db4')).toEqual([]);
    expect(sink.values('redis.persist.percent', 'redis_db:db3')).toEqual([]);
    expect(sink.values('redis.replication.delay', 'slave_ip:10.0.0.7', 'slave_port:6380', 'slave_id:0')).toEqual([100]);
    expect(sink.values('redis.replication.delay', 'slave_id:1')).toEqual([0]);
    expect(sink.values('redis.replication.lag')).toEqual([1]);
    expect(sink.values('redis.command.usec_per_call', 'command:get')).toEqual([2]);

    const later = REPLY.replace('processed:100', 'processed:160').replace('calls=7', 'calls=27');
    const second = report(later, 10_000).sink;
    expect(second.values('redis.net.commands')).toEqual([6]);
    expect(second.values('redis.command.calls', 'command:get')).toEqual([2]);
    // After a restart of the server there is a gap, not a false rate.
    expect(report(REPLY, 20_000).sink.values('redis.net.commands')).toEqual([]);

    const limited = report(REPLY, 30_000, { databases: 1, replicas: 1, commands: 0 });
    expect(limited.over).toBe(2 + 1 + 1);
    expect(limited.sink.tags('redis.keys')).toEqual(['a:b,redis_db:db0']);
  });

  test('with any text gives only finite values', () => {
    const line = fc.tuple(fc.constantFrom('db0', 'slave0', 'cmdstat_x', 'used_memory', 'role', '#'), fc.string());
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const sink = new Readings();
        const rates = new Rates();
        rates.begin(0);
        reportInfo(parseInfo(lines.map(([name, value]) => `${name}:${value}`).join('\n')), { sink, tags: [], rates });
        for (const metric of sink.metrics)
          for (const value of sink.values(metric)) expect(Number.isFinite(value)).toBe(true);
      }),
    );
  });
});

test('an address is host:port or a path', () => {
  expect(endpointOf({ address: 'cache:6379' })).toEqual({ host: 'cache', port: 6379 });
  expect(endpointOf({ address: '[::1]:1' })).toEqual({ host: '::1', port: 1 });
  expect(redisTags({ address: '/run/redis.sock', tags: ['x:y'] })).toEqual([
    'redis_host:/run/redis.sock',
    'redis_port:unix_socket',
    'x:y',
  ]);
  for (const address of ['cache', 'cache:0', 'cache:65536', 'redis://cache:1', 'me@cache:1', '']) {
    expect(() => endpointOf({ address })).toThrow('limit: host:port, or the path of a Unix socket');
  }
});
