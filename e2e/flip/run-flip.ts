import { cp, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Platform } from '@tidemark/assembly/one-process';
import { SystemClock } from '@tidemark/node-runtime';
import { isTidemarkError } from '@tidemark/ports';
import { SeededRandom } from '@tidemark/simulation';
import type { PlatformEvent } from '../process/messages.ts';
import { settingsOf } from '../process/platform-settings.ts';
import { applyFlip, chooseFlip, type Flip } from './choose-flip.ts';
import { type Question, questionsOf } from './contents.ts';
import type { MadeFolder } from './make-folder.ts';
import { sendAfter } from './send-after.ts';
import { SPOOL_FOLDER, sendSpool, spoolFaults, spoolQuestion } from './spool.ts';
import { type Answer, type AnswerVerdict, difference, judge } from './verdict.ts';

/** How a platform dealt with a flipped bit; `failed` breaks a promise. */
export type Outcome = 'right' | 'said' | 'refused' | 'failed';

export interface FlipResult {
  readonly seed: number;
  readonly folder: string;
  readonly flip: Flip;
  readonly outcome: Outcome;
  /** What was said, or what is wrong. */
  readonly detail: string;
  readonly tookMs: number;
}

/** How long a platform may take until its answers are right, or say why they are not. */
const SETTLE_MS = 30_000;
const POLL_MS = 100;
/** How long an answer may be behind while a problem is named that could be the reason. */
const CATCH_UP_MS = 2000;
/** Every so many seeds points are sent after the first answers, and the platform is stopped and started once more. */
const SECOND_START_EVERY = 4;
const SHOWN = 400;

/** A platform in this process on a damaged folder, with all that it reported. */
interface Running {
  readonly platform: Platform;
  readonly events: PlatformEvent[];
}

interface Seen {
  readonly question: Question;
  readonly answer: Answer;
  readonly verdict: AnswerVerdict;
}

/** Copies the made folder to `work`, flips the bit of the seed, and asks for everything. */
export async function runFlip(seed: number, made: MadeFolder, work: string): Promise<FlipResult> {
  const startedMs = performance.now();
  await rm(work, { recursive: true, force: true });
  await cp(made.settings.folder, work, { recursive: true, preserveTimestamps: true });
  const flip = await chooseFlip(work, new SeededRandom(seed), made.files);
  await applyFlip(work, flip);
  return {
    seed,
    folder: made.kind,
    flip,
    ...(await startDamaged(seed, made, work, flip)),
    tookMs: performance.now() - startedMs,
  };
}

/** Starts a platform on the damaged folder `work`, once or twice, and asks for everything. */
export async function startDamaged(
  seed: number,
  made: MadeFolder,
  work: string,
  flip: Flip,
): Promise<Pick<FlipResult, 'outcome' | 'detail'>> {
  const questions = questionsOf(made.startMs);
  // What a sender has lost it says once, when it reads the spool.
  const isAgain = seed % SECOND_START_EVERY === 0 && !isOfSpool(flip);
  const first = await startAndAsk(made, work, flip, questions, async (url) => {
    if (isAgain) questions.push(...(await sendAfter(url)));
  });
  if (!isAgain || first.outcome === 'failed' || first.outcome === 'refused') return first;
  const second = await startAndAsk(made, work, flip, questions);
  return { ...second, detail: `second start: ${second.detail}` };
}

async function startAndAsk(
  made: MadeFolder,
  work: string,
  flip: Flip,
  questions: readonly Question[],
  then: (url: string) => Promise<void> = async () => undefined,
): Promise<Pick<FlipResult, 'outcome' | 'detail'>> {
  const events: PlatformEvent[] = [];
  let platform: Platform;
  try {
    platform = await start(made, work, events);
  } catch (error) {
    return judgeRefusal(error, flip);
  }
  try {
    const result = await askUntilSettled({ platform, events }, made, questions);
    if (result.outcome === 'right' || result.outcome === 'said') await then(`http://127.0.0.1:${platform.httpPort}`);
    return isOfSpool(flip) && result.outcome === 'right' ? await askForSpool(platform, made, work, flip) : result;
  } finally {
    await platform.stop();
  }
}

function isOfSpool({ file }: Flip): boolean {
  return file.startsWith(`${SPOOL_FOLDER}/`);
}

function start(made: MadeFolder, folder: string, events: PlatformEvent[]): Promise<Platform> {
  return Platform.start({
    settings: settingsOf({ ...made.settings, folder }),
    protoFolder: fileURLToPath(new URL('../../proto', import.meta.url)),
    clock: new SystemClock(),
    events: {
      info: (message, detail = {}) => events.push({ level: 'info', message, detail }),
      error: (message, detail = {}) => events.push({ level: 'error', message, detail }),
      fatal: (error) => events.push({ level: 'fatal', message: error.message, detail: {} }),
    },
  });
}

/** A refusal must name the damaged file, or the folder of its database, and say what to do. */
function judgeRefusal(error: unknown, { file }: Flip): Pick<FlipResult, 'outcome' | 'detail'> {
  if (!isTidemarkError(error)) return { outcome: 'failed', detail: `a bug ends the start: ${stackOf(error)}` };
  const detail = `${error.code}: ${error.message} ${JSON.stringify(error.detail)}`;
  const name = file.split('/').at(-1) ?? file;
  const isNamed = detail.includes(name);
  const hasStep = /\b(restore|remove|move|copy|replace|write|delete)\b/i.test(error.message);
  if (isNamed && hasStep) return { outcome: 'refused', detail };
  return { outcome: 'failed', detail: `the refusal names no ${isNamed ? 'next step' : 'file'}: ${detail}` };
}

async function askUntilSettled(
  running: Running,
  made: MadeFolder,
  questions: readonly Question[],
): Promise<Pick<FlipResult, 'outcome' | 'detail'>> {
  const begunMs = performance.now();
  for (;;) {
    // Completeness is about points in time. Late ones may be missing until the store has read them, as after a kill.
    const isReading = await readsStill(running.platform);
    const asked = await Promise.all(questions.map((question) => ask(running.platform, question, made)));
    const seen = asked.map((one) =>
      one.verdict === 'wrong' && isReading ? { ...one, verdict: 'behind' as const } : one,
    );
    const fatal = running.events.find(({ level }) => level === 'fatal');
    if (fatal !== undefined) return { outcome: 'failed', detail: `the process ends: ${fatal.message}` };
    const wrong = seen.find(({ verdict }) => verdict === 'wrong');
    if (wrong !== undefined)
      return { outcome: 'failed', detail: `wrong without a word: ${shown(wrong, running.events)}` };
    const lacking = seen.filter(({ verdict }) => verdict !== 'right');
    if (lacking.length === 0)
      return { outcome: 'right', detail: running.events.find(({ level }) => level === 'error')?.message ?? '' };
    const named = await problemsOf(running.platform);
    const tookMs = performance.now() - begunMs;
    const isBehind = lacking.some(({ verdict }) => verdict === 'behind') && tookMs < CATCH_UP_MS;
    if (named !== undefined && !isBehind) return { outcome: 'said', detail: `${lacking.length} answers: ${named}` };
    if (tookMs > SETTLE_MS) {
      return { outcome: 'failed', detail: `neither status nor health says why: ${shown(lacking[0], running.events)}` };
    }
    await pause(POLL_MS);
  }
}

/** Sends what a damaged spool has. What is missing afterwards must be counted by the sender, and nothing is there twice. */
async function askForSpool(
  platform: Platform,
  { startMs }: MadeFolder,
  work: string,
  flip: Flip,
): Promise<Pick<FlipResult, 'outcome' | 'detail'>> {
  const report = await sendSpool(`127.0.0.1:${platform.grpcPort}`, work);
  if ('refused' in report) return judgeRefusal(report.refused, flip);
  const deadlineMs = performance.now() + SETTLE_MS;
  while ((await readsStill(platform)) && performance.now() < deadlineMs) await pause(POLL_MS);
  const { body } = await request(platform, '/api/tidemark/v1/query', undefined, spoolQuestion(startMs));
  const { missing, wrong } = spoolFaults(body, startMs);
  if (wrong.length > 0) return { outcome: 'failed', detail: `of the spool, ${report.said}: ${wrong.join('; ')}` };
  if (missing.length === 0) return { outcome: 'right', detail: report.said };
  const detail = `batches ${missing.join(', ')} of the spool are missing, and the sender says "${report.said}"`;
  return { outcome: report.said === '' ? 'failed' : 'said', detail };
}

/** Whether a store that is not halted has less than the log. */
async function readsStill(platform: Platform): Promise<boolean> {
  for (const topic of ['points', 'tags'] as const) {
    const { positions } = await platform.stores.positions(topic);
    for (const { partition, offset, halted } of positions) {
      if (halted === '' && offset < (await platform.log.bounds(topic, partition)).next) return true;
    }
  }
  return false;
}

/** The problems that status and health name and that do not pass by themselves. */
async function problemsOf(platform: Platform): Promise<string | undefined> {
  platform.health.check();
  const problem = platform.health.reply.problems.find(({ kind }) => ['halt', 'control-lost', 'control'].includes(kind));
  if (problem !== undefined) return `${problem.kind} ${problem.part}: ${problem.reason}`;
  const status = await request(platform, '/api/tidemark/v1/status');
  const parts = [status.body.points, status.body.tags].flatMap((list) => (Array.isArray(list) ? list : []));
  const lacking = parts.find(({ halted, gaps }) => (halted ?? '') !== '' || (gaps?.length ?? 0) > 0);
  return lacking === undefined ? undefined : JSON.stringify(lacking).slice(0, SHOWN);
}

async function ask(platform: Platform, question: Question, { keys }: MadeFolder): Promise<Seen> {
  const answer = await request(platform, question.path, keys[question.tenant], question.body);
  return { question, answer, verdict: judge(question, answer) };
}

async function request(platform: Platform, path: string, key?: string, body?: Question['body']): Promise<Answer> {
  const headers = { 'content-type': 'application/json', ...(key !== undefined && { 'dd-api-key': key }) };
  const given = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  const response = await fetch(`http://127.0.0.1:${platform.httpPort}${path}`, { headers, ...given });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

function shown({ question, answer, verdict }: Seen, events: readonly PlatformEvent[]): string {
  const { errors, gaps, complete_through_ms } = answer.body;
  const said = JSON.stringify({ status: answer.status, errors, gaps, complete_through_ms });
  const content = answer.status === 200 ? difference(question, answer) : '';
  const reported = events.map(({ message, detail }) => `${message} ${JSON.stringify(detail)}`).join('; ');
  return `${question.tenant}: ${question.name} is ${verdict} ${said} ${content}; events: ${reported}`;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
