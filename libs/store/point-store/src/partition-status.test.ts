import { expect, test } from '@jest/globals';
import { SHOWN_CLIENTS, shownClients } from './partition-status.ts';

test('a status has a bounded number of client sessions of each tenant, those with late points and the newest', () => {
  const of = (tenant: string, count: number) =>
    Array.from({ length: count }, (_, n) => ({ key: `${n}`, tenant, latePoints: n === 3 ? 1 : 0, seenAtMs: n }));
  const shown = shownClients([...of('few', 5), ...of('many', SHOWN_CLIENTS + 10)]);
  const keys = (tenant: string) => shown.filter((client) => client.tenant === tenant).map(({ key }) => key);
  expect(keys('few')).toEqual(['0', '1', '2', '3', '4']);
  expect(keys('many').length).toBe(SHOWN_CLIENTS);
  expect(keys('many').slice(0, 2)).toEqual(['3', `${SHOWN_CLIENTS + 9}`]);
  expect(keys('many')).not.toContain('4');
});
