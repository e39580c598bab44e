import { healthRoutes } from '@tidemark/http-api';
import Fastify, { type FastifyInstance } from 'fastify';

const BODY_BYTES = 64 * 1024;
const CONNECTIONS = 1000;

/** An HTTP application with health alone, for processes whose work is gRPC. */
export function healthApp(notReady: () => string | undefined): FastifyInstance {
  const app: FastifyInstance = Fastify({ bodyLimit: BODY_BYTES, requestIdHeader: false });
  app.server.maxConnections = CONNECTIONS;
  healthRoutes(app, notReady);
  return app;
}
