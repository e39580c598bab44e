import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { answerNotFound } from './not-found.ts';
import type { RouteMethods } from './route-methods.ts';

/** Serves the page's built files, and its entry file for every URL of a view. */
export function pageFiles(app: FastifyInstance, folder: string | undefined, routes: RouteMethods): void {
  if (folder !== undefined) {
    app.register(fastifyStatic, {
      root: folder,
      cacheControl: false,
      setHeaders: (reply, path) => {
        // Names of built assets hold a hash of their content; the entry page must be fresh.
        reply.header('cache-control', path.includes('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
    });
  }
  app.setNotFoundHandler((request, reply) => {
    const wantsPage = request.method === 'GET' && (request.headers.accept ?? '').includes('text/html');
    if (folder !== undefined && wantsPage && !/^\/+api\//.test(request.url)) return reply.sendFile('index.html');
    return answerNotFound(routes, request, reply);
  });
}
