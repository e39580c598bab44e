import type { FastifyInstance } from 'fastify';

interface Route {
  readonly method: string;
  /** Parts of the path between slashes; a parameter begins with a colon. */
  readonly parts: readonly string[];
}

/** The methods of the routes of a server, for answers to requests with another one. Create it before the routes. */
export class RouteMethods {
  readonly #routes: Route[] = [];

  constructor(app: FastifyInstance) {
    app.addHook('onRoute', ({ method, url }) => {
      // A route of all paths has no method that a path needs, and each route of GET is one of HEAD, too.
      if (url.includes('*')) return;
      for (const one of [method].flat()) if (one !== 'HEAD') this.#routes.push({ method: one, parts: url.split('/') });
    });
  }

  /** Returns the methods of the routes of a path, sorted; empty for a path without a route. */
  of(path: string): string[] {
    const parts = path.split('/');
    const found = this.#routes.filter((route) => isOf(route, parts)).map(({ method }) => method);
    return [...new Set(found)].sort();
  }
}

function isOf(route: Route, parts: readonly string[]): boolean {
  if (route.parts.length !== parts.length) return false;
  return route.parts.every((part, i) => (part.startsWith(':') ? parts[i] !== '' : part === parts[i]));
}
