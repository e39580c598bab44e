import type { Gap, PartError } from '@tidemark/contract';
import { isTidemarkError, TidemarkError } from '@tidemark/ports';
import type { QueryReader } from './query-reader.ts';
import { tenantError, tenantGap, tenantStatus } from './tenant-status.ts';

/** Answers as callers see them who are not operators: nothing of processes, and nothing of other tenants. */
export function tenantReader(reader: QueryReader): QueryReader {
  return {
    run: (tenant, request, use, signal) =>
      refused(reader.run(tenant, request, (answer, slice) => use(withheld(answer), slice), signal)),
    runFormulas: (tenant, request, use, signal) =>
      refused(reader.runFormulas(tenant, request, (answer, slice) => use(withheld(answer), slice), signal)),
    metrics: async (...asked) => withheld(await refused(reader.metrics(...asked))),
    metric: async (...asked) => {
      const { description, gaps } = await refused(reader.metric(...asked));
      return { description, gaps: gaps.map(tenantGap) };
    },
    tags: async (...asked) => withheld(await refused(reader.tags(...asked))),
    status: async (...asked) => tenantStatus(await refused(reader.status(...asked))),
  };
}

function withheld<T extends { readonly errors: readonly PartError[]; readonly gaps: readonly Gap[] }>(answer: T): T {
  return { ...answer, errors: answer.errors.map(tenantError), gaps: answer.gaps.map(tenantGap) };
}

/** An error of a part loses its message, as in the errors of an answer. */
async function refused<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!isTidemarkError(error) || typeof error.detail.part !== 'string') throw error;
    const { part, code } = error.detail;
    throw new TidemarkError(error.code, `no part could answer: ${part}: ${code}`, { part, code });
  }
}
