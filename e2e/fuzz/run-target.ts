import { messageOf } from '@tidemark/ports';
import { SeededRandom } from '@tidemark/simulation';
import { corpusOf } from './corpus.ts';
import { checkCost, checkRepeats, runBounded } from './cost.ts';
import { Coverage } from './coverage.ts';
import { minimized } from './minimize.ts';
import { type Material, mutated } from './mutate.ts';
import type { RunningInput } from './running-input.ts';
import type { FuzzTarget } from './target.ts';

const DEFAULT_MAX_BYTES = 4096;
/** Time for mutations at least, ms: on a busy machine the seeds, the corpus, and the start of a platform take all others. */
const MIN_MUTATING_MS = 1000;
/** Share of the time in which inputs are searched by coverage. */
const GUIDED_SHARE = 0.3;
/** Max share of the time in which costs of the seeds are compared, before anything is mutated. */
const SEED_COSTS_SHARE = 0.3;
/** Inputs between two readings of the coverage, which takes longer than an input. */
const BATCH = 64;
/** Mutated inputs for each one whose cost is compared. */
const RUNS_PER_COST = 400;
/** Parts of each input of the corpus that are repeated to compare costs. */
const COSTS_PER_SEED = 8;
const MAX_FINDINGS = 5;
const MINIMIZE_MS = 4000;
const MAX_MINIMIZED_BYTES = 64 * 1024;

export interface Finding {
  readonly target: string;
  readonly message: string;
  readonly input: Uint8Array;
}

export interface FuzzResult {
  readonly target: string;
  /** Inputs, those of the corpus included. */
  readonly runs: number;
  /** Inputs that were made by mutation. */
  readonly mutations: number;
  readonly findings: readonly Finding[];
  /** Inputs that reached code that no other input of the corpus reached. */
  readonly fresh: readonly Uint8Array[];
}

export interface FuzzPlan {
  readonly seed: number;
  /**
   * Time after which no more inputs are made, ms, with the start of a platform; mutations have a second of it at least. 0:
   * the seeds and the corpus only.
   */
  readonly forMs: number;
  /** Compares costs, which takes seconds and depends on the machine. Default: true. */
  readonly isCostChecked?: boolean;
  /** Kinds of findings after which the run ends. */
  readonly maxFindings?: number;
}

/** Runs one target: seeds and corpus as they are, then mutations of them until the time is up. */
export async function runTarget(target: FuzzTarget, plan: FuzzPlan, running?: RunningInput): Promise<FuzzResult> {
  const beganMs = performance.now();
  const close = await target.open?.();
  try {
    return await new TargetRun(target, plan, running).result(beganMs);
  } finally {
    await close?.();
  }
}

class TargetRun {
  readonly #target: FuzzTarget;
  readonly #plan: FuzzPlan;
  readonly #running: RunningInput | undefined;
  readonly #random: SeededRandom;
  readonly #findings = new Map<string, Finding>();
  readonly #fresh: Buffer[] = [];
  #runs = 0;
  #mutations = 0;

  constructor(target: FuzzTarget, plan: FuzzPlan, running: RunningInput | undefined) {
    this.#target = target;
    this.#plan = plan;
    this.#running = running;
    this.#random = new SeededRandom(`${plan.seed}/${target.name}`);
  }

  async result(beganMs: number): Promise<FuzzResult> {
    const { name, tokens = [], maxBytes = DEFAULT_MAX_BYTES } = this.#target;
    const known = corpusOf(name).map(({ bytes }) => bytes);
    const pool = [...(await this.#target.seeds()).map((seed) => Buffer.from(seed)), ...known];
    for (const input of pool) await this.#try(input);
    const material = { random: this.#random, pool, tokens: tokens.map((token) => Buffer.from(token)), maxBytes };
    const { forMs } = this.#plan;
    if (this.#isLocal) await this.#seedCosts(pool, beganMs + forMs * SEED_COSTS_SHARE);
    if (this.#isLocal) await this.#guided(material, performance.now() + forMs * GUIDED_SHARE);
    const endMs = forMs === 0 ? 0 : Math.max(beganMs + forMs, performance.now() + MIN_MUTATING_MS);
    await this.#blind(material, endMs);
    const [runs, mutations, findings] = [this.#runs, this.#mutations, [...this.#findings.values()]];
    return { target: name, runs, mutations, findings, fresh: this.#fresh };
  }

  /** Mutates, and adds to the pool what reaches new code. */
  async #guided(material: Material & { readonly pool: Buffer[] }, endMs: number): Promise<void> {
    if (performance.now() >= endMs) return;
    const coverage = new Coverage();
    coverage.start();
    for (const input of material.pool) await this.#try(input);
    coverage.take();
    while (performance.now() < endMs && !this.#isDone) {
      const batch = Array.from({ length: BATCH }, () => this.#mutated(material));
      const fresh = await this.#freshOf(batch, coverage, endMs);
      material.pool.push(...fresh);
      this.#fresh.push(...fresh);
    }
    coverage.stop();
  }

  /** Returns the inputs that reach new code: halves of what reached some are run again. */
  async #freshOf(inputs: readonly Buffer[], coverage: Coverage, endMs: number): Promise<readonly Buffer[]> {
    for (const input of inputs) await this.#try(input);
    if (coverage.take() === 0) return [];
    if (inputs.length === 1) return inputs;
    if (performance.now() >= endMs) return [];
    coverage.forgetNewest();
    const half = inputs.length >> 1;
    const first = await this.#freshOf(inputs.slice(0, half), coverage, endMs);
    return [...first, ...(await this.#freshOf(inputs.slice(half), coverage, endMs))];
  }

  async #blind(material: Material, endMs: number): Promise<void> {
    for (let i = 1; performance.now() < endMs && !this.#isDone; i++) {
      const input = this.#mutated(material);
      await this.#try(input);
      if (this.#isLocal && i % RUNS_PER_COST === 0) await this.#tryCost(input);
    }
  }

  #mutated(material: Material): Buffer {
    this.#mutations++;
    return mutated(material);
  }

  /** The target runs in this thread, so that its costs and its coverage can be measured. */
  get #isLocal(): boolean {
    return this.#target.isRemote !== true && this.#plan.isCostChecked !== false;
  }

  async #seedCosts(pool: readonly Buffer[], endMs: number): Promise<void> {
    await this.#costs(Buffer.alloc(0), () => checkRepeats(this.#target));
    for (let i = 0; i < COSTS_PER_SEED; i++) {
      for (const input of pool) if (performance.now() < endMs) await this.#tryCost(input);
    }
  }

  get #isDone(): boolean {
    return this.#findings.size >= (this.#plan.maxFindings ?? MAX_FINDINGS);
  }

  async #try(input: Buffer): Promise<void> {
    const message = await this.#failure(input);
    if (message === undefined || this.#findings.has(kindOf(message))) return;
    const kind = kindOf(message);
    const fails = async (candidate: Buffer): Promise<boolean> => {
      const other = await this.#failure(candidate);
      return other !== undefined && kindOf(other) === kind;
    };
    const small = input.length > MAX_MINIMIZED_BYTES ? input : await minimized(Buffer.from(input), fails, MINIMIZE_MS);
    this.#findings.set(kind, { target: this.#target.name, message, input: small });
  }

  /** Runs an input. Returns what does not hold. */
  async #failure(input: Buffer): Promise<string | undefined> {
    this.#runs++;
    this.#running?.begin(input);
    try {
      await runBounded(this.#target, Buffer.from(input));
      return undefined;
    } catch (error) {
      return describe(error);
    } finally {
      this.#running?.end();
    }
  }

  async #tryCost(input: Buffer): Promise<void> {
    if (input.length > 0) await this.#costs(input, () => checkCost(this.#target, input, this.#random));
  }

  async #costs(input: Buffer, compare: () => Promise<void>): Promise<void> {
    this.#running?.begin(input);
    try {
      await compare();
    } catch (error) {
      const message = describe(error);
      const kind = kindOf(message);
      if (!this.#findings.has(kind)) this.#findings.set(kind, { target: this.#target.name, message, input });
    } finally {
      this.#running?.end();
    }
  }
}

/** The error and where it was thrown. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return `thrown: ${messageOf(error)}`;
  const place = error.stack?.split('\n').find((line) => line.includes('/libs/'));
  return `${error.name}: ${error.message}${place === undefined ? '' : `\n${place}`}`;
}

/** Findings of one kind differ in numbers only. */
function kindOf(message: string): string {
  return message
    .replace(/bytes .* repeated/, '')
    .replace(/\d+/g, '#')
    .slice(0, 120);
}
