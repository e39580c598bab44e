import type { FormulaAnswer, FormulaRequest, Use } from '@tidemark/query';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ReadRoutes } from './datadog-routes.ts';
import { scalarAnswer, timeseriesAnswer } from './formula-answers.ts';
import { inBody, scalarRequest, timeseriesRequest } from './formula-body.ts';
import { sendJson } from './json-stream.ts';
import { requestSignal } from './request-signal.ts';

/** Adds the part of Datadog's v2 API that queries metrics: formulas over named queries. */
export function datadogV2Routes(app: FastifyInstance, { serviceFor, readerOf }: ReadRoutes): void {
  app.post('/api/v2/query/timeseries', (request, reply) =>
    answered(request, reply, timeseriesRequest, (_, answer) => timeseriesAnswer(answer)),
  );

  app.post('/api/v2/query/scalar', (request, reply) => answered(request, reply, scalarRequest, scalarAnswer));

  async function answered(
    request: FastifyRequest,
    reply: FastifyReply,
    read: (body: unknown) => FormulaRequest,
    answerOf: (asked: FormulaRequest, answer: FormulaAnswer) => Record<string, unknown>,
  ): Promise<FastifyReply> {
    const tenant = readerOf(request);
    const asked = read(request.body);
    const send: Use<FormulaAnswer, FastifyReply> = (answer, slice) => sendJson(reply, answerOf(asked, answer), slice);
    try {
      return await serviceFor(request).runFormulas(tenant, asked, send, requestSignal(reply));
    } catch (error) {
      throw inBody(error);
    }
  }
}
