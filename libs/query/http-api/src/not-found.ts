import { TidemarkError } from '@tidemark/ports';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { foreignPath } from './foreign-paths.ts';
import type { RouteMethods } from './route-methods.ts';

const MAX_PATH_CHARS = 200;

/**
 * Refuses data that is not accepted, such as logs of Datadog's agents, before its body is read: the body may have any
 * size and any content type. `onNotTaken` counts the refusals.
 */
export function refuseForeignData(app: FastifyInstance, onNotTaken: (error: TidemarkError) => void): void {
  app.addHook('onRequest', async (request) => {
    if (!request.is404) return;
    const foreign = foreignPath(request.method, plainPath(request.url.split('?')[0]));
    if (foreign?.status !== 400) return;
    const error = new TidemarkError('invalid_argument', foreign.advice, { reason: 'not_taken', field: 'url' });
    onNotTaken(error);
    throw error;
  });
}

/**
 * Answers requests that have no route: 405 with the right methods where there are some, otherwise 404, with what to do for
 * the known paths of other products. http-api.test.ts covers it.
 */
export function answerNotFound(routes: RouteMethods, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const [sent] = request.url.split('?');
  const what = `${request.method} ${sent.slice(0, MAX_PATH_CHARS)}`;
  const path = plainPath(sent);
  const foreign = foreignPath(request.method, path);
  const methods = routes.of(path);
  const advice = foreign === undefined ? '' : `: ${foreign.advice}`;
  if (methods.length === 0) return send(reply, 404, `not found: ${what}${advice}`);
  const message = `method not allowed: ${what}; send with ${methods.join(' or ')}${advice}`;
  return send(reply.header('allow', methods.join(', ')), 405, message);
}

/** Returns a path as routes have it: without doubled slashes, and without one at its end. */
function plainPath(path: string): string {
  return path.replace(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '');
}

function send(reply: FastifyReply, status: 404 | 405, message: string): FastifyReply {
  const code = status === 404 ? 'not_found' : 'invalid_argument';
  return reply.code(status).send({ errors: [message], code, detail: status === 404 ? {} : { field: 'method' } });
}
