import { examine, type Outcome } from '@tidemark/doctor';
import { explain } from '@tidemark/executable';
import { Command, InvalidArgumentError, Option } from 'commander';
import { examinationJson, formatExamination } from '../doctor/examination-output.ts';
import { observe } from '../doctor/observe.ts';
import type { RemoteOptions } from '../endpoints.ts';
import { deploymentOf } from '../find-deployment.ts';
import { print, printError } from '../printable.ts';
import { withRemote } from '../remote.ts';

interface DoctorOptions extends RemoteOptions {
  readonly format: 'text' | 'json';
  readonly timeout: number;
}

const EXIT: Readonly<Record<Outcome, number>> = { healthy: 0, ill: 1, blind: 2 };
const TIMEOUT_S = 5;
const MAX_TIMEOUT_S = 300;
const HELP = `
Exit codes: 0 nothing is wrong, 1 problems found, 2 no process reported its state.
docs/operations/doctor.md explains each finding and what to do.`;

export function doctorCommand(): Command {
  return withRemote(new Command('doctor'))
    .description('report what is wrong now and what to do next')
    .addOption(new Option('--format <format>', 'output format').choices(['text', 'json']).default('text'))
    .option('--timeout <seconds>', 'max time to wait for each answer', seconds, TIMEOUT_S)
    .addHelpText('after', HELP)
    .action(diagnose);
}

async function diagnose(options: DoctorOptions): Promise<void> {
  try {
    const timeoutMs = options.timeout * 1000;
    const observations = await observe(await deploymentOf(options), timeoutMs);
    const examination = examine(observations);
    const isJson = options.format === 'json';
    print(isJson ? examinationJson(examination) : formatExamination(examination, observations.nowMs));
    process.exitCode = EXIT[examination.outcome];
  } catch (error) {
    printError(`tidemark: ${explain(error)}`);
    process.exitCode = EXIT.blind;
  }
}

function seconds(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= MAX_TIMEOUT_S) return value;
  throw new InvalidArgumentError(`Give a number above 0 (limit: ${MAX_TIMEOUT_S}).`);
}
