import type { FormulaAnswer, FormulaRequest } from '@tidemark/query';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ReadRoutes } from './datadog-routes.ts';
import { scalarAnswer, timeseriesAnswer } from './formula-answers.ts';
import { inBody, scalarRequest, timeseriesRequest } from './formula-body.ts';
import { requestSignal } from './request-signal.ts';

/** Adds the part of Datadog's v2 API that queries metrics: formulas over named queries. */
export function datadogV2Routes(app: FastifyInstance, { service, readerOf }: ReadRoutes): void {
  app.post('/api/v2/query/timeseries', async (request, reply) => {
    const { answer } = await answered(request, reply, timeseriesRequest);
    return timeseriesAnswer(answer);
  });

  app.post('/api/v2/query/scalar', async (request, reply) => {
    const { asked, answer } = await answered(request, reply, scalarRequest);
    return scalarAnswer(asked, answer);
  });

  async function answered(
    request: FastifyRequest,
    reply: FastifyReply,
    read: (body: unknown) => FormulaRequest,
  ): Promise<{ readonly asked: FormulaRequest; readonly answer: FormulaAnswer }> {
    const tenant = readerOf(request);
    const asked = read(request.body);
    try {
      return { asked, answer: await service.runFormulas(tenant, asked, requestSignal(reply)) };
    } catch (error) {
      throw inBody(error);
    }
  }
}
