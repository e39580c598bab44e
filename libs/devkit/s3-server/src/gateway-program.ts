import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder, whileLocked } from '@tidemark/child-process';
import { messageOf, TidemarkError } from '@tidemark/ports';

const VERSION = '1.8.0';
const MODULE = `github.com/versity/versitygw/cmd/versitygw@v${VERSION}`;
const MIN_GO = 25;
/** A build takes some 220 s of CPU time once; a busy machine needs several times that. */
const BUILD_MS = 1_800_000;

const run = promisify(execFile);

/**
 * Returns the path of versitygw, a server with the S3 API over a folder. Go builds it from its module where it is not in
 * the cache yet; of several processes only one builds. Throws `failed_precondition` without Go, and `unavailable` when the
 * build fails; the message says what to do.
 */
export async function gatewayProgram(cache = cacheFolder()): Promise<string> {
  const folder = join(cache, `versitygw-${VERSION}`);
  const program = join(folder, 'versitygw');
  if (existsSync(program)) return program;
  await checkGo();
  await whileLocked(folder, BUILD_MS, async () => {
    if (!existsSync(program)) await build(folder, program);
  });
  return program;
}

async function checkGo(): Promise<void> {
  const needed = `install Go 1.${MIN_GO} or later, which builds the S3 server of the tests`;
  let version: string;
  try {
    version = (await run('go', ['env', 'GOVERSION'])).stdout.trim();
  } catch (error) {
    throw new TidemarkError('failed_precondition', `go is not in the PATH; ${needed}`, {}, { cause: error });
  }
  if (Number(/^go1\.(\d+)/.exec(version)?.[1]) >= MIN_GO) return;
  throw new TidemarkError('failed_precondition', `go: ${version}; ${needed}`);
}

async function build(folder: string, program: string): Promise<void> {
  const draft = await mkdtemp(join(folder, 'draft-'));
  try {
    await run('go', ['install', MODULE], {
      env: { ...process.env, GOBIN: draft },
      timeout: BUILD_MS,
      maxBuffer: 1 << 24,
    });
    await rename(join(draft, 'versitygw'), program);
  } catch (error) {
    const why = messageOf(error).split('\n').slice(-5).join(' ');
    throw new TidemarkError('unavailable', `the build of versitygw ${VERSION} failed: ${why}`, {}, { cause: error });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}
