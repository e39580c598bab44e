import type { Attack } from './attack.ts';
import { requestUntil } from './request.ts';

const AT_ONCE = 6;
const EXPRESSIONS = 95;
const RANGE_S = 10_990;

/** Costly queries as a page of another site makes them: images, for which a browser sends no `Origin`. */
export const crossSite: Attack = async ({ httpPort }, signal) => {
  const query = Array(EXPRESSIONS)
    .fill('default_zero(tidemark.agent.check.duration_ms{*}by{check}.rollup(1))')
    .join(',');
  const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' };
  const loop = async () => {
    while (!signal.aborted) {
      const to = Math.floor(Date.now() / 1000);
      const parameters = new URLSearchParams({ from: String(to - RANGE_S), to: String(to), query });
      await requestUntil(signal, { httpPort, path: `/api/v1/query?${parameters}`, headers });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, loop));
};
