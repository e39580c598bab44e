import { isTidemarkError } from '@tidemark/ports';
import { asAnswered } from '@tidemark/query';
import type { Cluster } from './cluster.ts';
import { TENANT } from './series.ts';
import { Violation } from './violation.ts';

const STEPS = 3600;
const STEP_MS = 1000;
const PARTS = 48;
/** Forms of queries that make much of few points: many expressions, and long chains of operations over them. */
const COSTLY: readonly ((leaf: string) => string)[] = [
  (leaf) => Array(PARTS).fill(`default_zero(${leaf})`).join(),
  (leaf) => Array.from({ length: PARTS }, (_, i) => `default_zero(${leaf}) * ${i + 1}`).join(),
];
const LEAF = 'sum:requests{*} by {client}.rollup(1)';

/** A query that needs more memory than a query may take is refused by name, and leaves none of it taken. */
export async function checkMemory({ query: { host, node } }: Cluster): Promise<void> {
  if (host === undefined) return;
  const toMs = Math.ceil(node.clock.wallMs() / STEP_MS) * STEP_MS;
  for (const costly of COSTLY) {
    const query = costly(LEAF);
    const asked = { query, fromMs: toMs - STEPS * STEP_MS, toMs };
    const error: unknown = await host.reader.run(TENANT, asked, asAnswered).then(
      ({ series }) => new Violation('memory-is-bounded', `an answer of ${series.length} × ${STEPS} values was given`),
      (refusal: unknown) => refusal,
    );
    if (!isTidemarkError(error, 'resource_exhausted')) throw error;
    if (error.detail.limit !== 'query.memoryBytes')
      throw new Violation('memory-is-bounded', `refused by ${error.message}`);
    if (host.memoryBytes !== 0) throw new Violation('memory-is-bounded', `${host.memoryBytes} bytes are still taken`);
  }
}
