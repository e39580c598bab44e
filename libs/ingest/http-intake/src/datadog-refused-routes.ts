import { TidemarkError } from '@tidemark/ports';
import type { FastifyInstance } from 'fastify';

/** What agents send beside metrics, and older ways to send these. */
const REFUSED = {
  '/api/v1/series': 'metrics are taken at /api/v2/series only',
  '/api/v1/distribution_points': 'distributions are taken over DogStatsD and gRPC only',
  '/api/beta/sketches': 'distributions are taken over DogStatsD and gRPC only',
  '/api/v1/check_run': 'service checks are not taken',
  '/api/v1/events': 'events are not taken',
  '/api/v1/metadata': 'metadata of hosts is not taken',
  '/intake/': 'events and metadata of hosts are not taken',
} as const;

/**
 * Says no where an agent would hear 404 and try again, filling its queue: it gives up what is answered by 400, and logs
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
