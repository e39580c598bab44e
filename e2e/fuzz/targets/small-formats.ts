import { type CheckSink, Rates } from '@tidemark/checks';
import { parseInfo, parseParts } from '../../../libs/collect/integrations/src/redis/redis-info.ts';
import { reportInfo } from '../../../libs/collect/integrations/src/redis/redis-metrics.ts';
import { scalarRequest, timeseriesRequest } from '../../../libs/query/http-api/src/formula-body.ts';
import { type FuzzTarget, holds, parsed } from '../target.ts';
import { JSON_SIGNS } from '../tokens.ts';

const NOW_MS = 1_700_000_000_000;
const FORMULA = {
  data: {
    type: 'timeseries_request',
    attributes: {
      from: NOW_MS,
      to: NOW_MS + 60_000,
      interval: 10_000,
      formulas: [{ formula: 'a / b', limit: { count: 5, order: 'desc' } }],
      queries: [
        { name: 'a', data_source: 'metrics', query: 'sum:a{*}' },
        { name: 'b', data_source: 'metrics', query: 'sum:b{*}', aggregator: 'avg' },
      ],
    },
  },
};

const formula: FuzzTarget = {
  name: 'formula-body',
  seeds: () => [Buffer.from(JSON.stringify(FORMULA))],
  tokens: [...JSON_SIGNS, 'null', '1e999', '-1', '"__proto__":', '"queries":', '"formula":', '"limit":'],
  run: (input) => {
    let body: unknown;
    try {
      body = JSON.parse(input.toString());
    } catch {
      return;
    }
    parsed(['invalid_argument'], () => timeseriesRequest(body));
    parsed(['invalid_argument'], () => scalarRequest(body));
  },
};

/** What a Redis server answers to INFO. */
const redisInfo: FuzzTarget = {
  name: 'redis-info',
  seeds: () => [
    Buffer.from('# Server\r\nredis_version:7.2\r\n# Keyspace\r\ndb0:keys=1,expires=0,avg_ttl=5\r\nused_memory:100\r\n'),
    Buffer.from(
      'role:master\r\nslave0:ip=1.2.3.4,port=6379,state=online,offset=5,lag=1\r\ncmdstat_get:calls=1,usec=2\r\n',
    ),
  ],
  tokens: ['\r\n', ':', '=', ',', 'db', 'cmdstat_', 'used_memory:', 'e999', '-'],
  run: (input) => {
    const info = parseInfo(input.toString());
    for (const value of info.values()) parseParts(value);
    const gauge = (name: string, value: number): void => {
      holds(!Number.isNaN(value), () => `${name} is not a number`);
    };
    const rates = new Rates();
    rates.begin(1);
    reportInfo(info, { sink: { gauge } as unknown as CheckSink, tags: ['a:b'], rates });
  },
};

export const SMALL_FORMATS: readonly FuzzTarget[] = [formula, redisInfo];
