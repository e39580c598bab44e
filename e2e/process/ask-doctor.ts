import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../apps/tidemark/src/main.ts', import.meta.url));

export interface Diagnosis {
  readonly code: number | null;
  readonly outcome: string;
  readonly looked: string;
  readonly findings: readonly Finding[];
}

interface Finding {
  readonly kind: string;
  readonly severity: string;
  readonly what: string;
  readonly since_ms: number | null;
  readonly means: string;
  readonly next: string;
}

/** Runs `tidemark doctor` as an operator would. Left out are notes that the machine is busy: tests run on such machines. */
export async function askDoctor(...args: string[]): Promise<Diagnosis> {
  const command = ['--no-warnings', MAIN, 'doctor', '--format', 'json', ...args];
  const environment = {
    PATH: process.env.PATH,
    NODE_COMPILE_CACHE: fileURLToPath(new URL('../../node_modules/.cache/e2e', import.meta.url)),
  };
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'], env: environment });
  let out = '';
  let error = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    error += chunk.toString();
  });
  const [code] = await once(child, 'close');
  if (error !== '') throw new Error(`the doctor said: ${error}`);
  const diagnosis: Omit<Diagnosis, 'code'> = JSON.parse(out);
  const isBusy = ({ kind, severity }: Finding): boolean => kind === 'thread-late' && severity === 'note';
  return { ...diagnosis, code, findings: diagnosis.findings.filter((one) => !isBusy(one)) };
}
