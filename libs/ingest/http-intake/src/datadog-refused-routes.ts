import { TidemarkError } from '@tidemark/ports';
import type { FastifyInstance } from 'fastify';

/** Routes for other data of agents, and for older forms of metrics. */
const REFUSED = {
  '/api/v1/series': 'metrics are accepted at /api/v2/series only',
  '/api/v1/distribution_points': 'distributions are accepted over DogStatsD and gRPC only',
  '/api/beta/sketches': 'distributions are accepted over DogStatsD and gRPC only',
  '/api/v1/check_run': 'service checks are not accepted',
  '/api/v1/events': 'events are not accepted',
  '/api/v1/metadata': 'host metadata is not accepted',
  '/api/v2/logs': 'logs are not accepted',
  '/v1/input': 'logs are not accepted',
  '/api/v0.2/traces': 'traces are not accepted',
  '/intake/': 'events and host metadata are not accepted',
} as const;

/**
 * Answers these routes with 400. At 404 an agent would retry and fill its queue; at 400 it drops the payload and logs
 * the reason.
 */
export function refusedRoutes(app: FastifyInstance): void {
  for (const [url, why] of Object.entries(REFUSED)) {
    app.post(url, {
      onRequest: async () => {
        throw new TidemarkError('invalid_argument', why, { reason: 'not_taken', field: 'url' });
      },
      handler: async () => undefined,
    });
  }
}
