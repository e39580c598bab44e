import { expect, test } from '@jest/globals';
import { healthEvents } from './health-events.ts';

test('problems are reported when they begin and end, except those of partitions', () => {
  const lines: string[] = [];
  const onChange = healthEvents({
    info: (message) => void lines.push(`info ${message}`),
    error: (message, detail) => void lines.push(`error ${message}: ${JSON.stringify(detail)}`),
  });
  const cause = { code: 'resource_exhausted', message: 'full' } as const;
  onChange('disk', '/data', cause);
  onChange('disk', '/data', undefined);
  onChange('control', '', cause);
  for (const kind of ['store', 'halt', 'lane', 'rebuilt'] as const) onChange(kind, 'points/0', cause);
  expect(lines).toEqual([
    'error problem: disk (/data): {"reason":"full"}',
    'info resolved: disk (/data)',
    'error problem: control: {"reason":"full"}',
  ]);
});
