import { credentials } from '@grpc/grpc-js';
import { examine, type Outcome } from '@tidemark/doctor';
import { explain } from '@tidemark/executable';
import { Command, InvalidArgumentError, Option } from 'commander';
import { examinationJson, formatExamination } from '../doctor/examination-output.ts';
import { observe, type Patient } from '../doctor/observe.ts';
import type { RemoteOptions } from '../doors.ts';
import { settingsOfFile } from '../file-settings.ts';
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
Exit codes: 0 nothing is wrong, 1 something is, 2 nobody could be asked.
What each finding means and what to do: docs/operations/doctor.md`;

export function doctorCommand(): Command {
  return withRemote(new Command('doctor'))
    .description('what is wrong now, in plain words, and what to do next')
    .addOption(new Option('--format <format>', 'how to print it').choices(['text', 'json']).default('text'))
    .option('--timeout <seconds>', 'how long to wait for each that is asked', seconds, TIMEOUT_S)
    .addHelpText('after', HELP)
    .action(look);
}

async function look(options: DoctorOptions): Promise<void> {
  try {
    const timeoutMs = options.timeout * 1000;
    const observations = await observe(await patientOf(options, timeoutMs), timeoutMs);
    const examination = examine(observations);
    const isJson = options.format === 'json';
    print(isJson ? examinationJson(examination) : formatExamination(examination, observations.nowMs));
    process.exitCode = EXIT[examination.outcome];
  } catch (error) {
    printError(`tidemark: ${explain(error)}`);
    process.exitCode = EXIT.blind;
  }
}

/** The cluster that the settings describe, or the one process. */
async function patientOf({ address, settings: file, key }: DoctorOptions, timeoutMs: number): Promise<Patient> {
  if (file === undefined) return onePatient(address, key);
  const settings = await settingsOfFile(file);
  const { cluster, grpc } = settings;
  if (cluster.coordinator.length === 0 && cluster.queries.length === 0)
    return onePatient(`127.0.0.1:${grpc.port}`, key);
  // It needs the whole of a cluster's process: those who ask one process do without.
  const { clusterPatient } = await import('../doctor/cluster-patient.ts');
  return clusterPatient(settings, key, timeoutMs);
}

function onePatient(address: string, key: string | undefined): Patient {
  return {
    targets: [{ kind: 'platform', address, partitions: [] }],
    healthKey: key,
    statusKey: key,
    credentials: credentials.createInsecure(),
    kafka: undefined,
  };
}

function seconds(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= MAX_TIMEOUT_S) return value;
  throw new InvalidArgumentError(`a number above 0 is needed (limit: ${MAX_TIMEOUT_S}).`);
}
