import { type ParseArgsConfig, parseArgs } from 'node:util';

/** The texts that a program was called with: `--help` prints what it takes. */
export interface ProgramUsage {
  /** What `--help` prints. */
  readonly help: string;
  /** Default: the arguments of the process. */
  readonly args?: readonly string[];
}

type Config = Pick<ParseArgsConfig, 'options' | 'allowPositionals'>;

/**
 * Parses the arguments of a program of the project. `--help` prints the help and ends the process with 0, an argument that
 * the program does not take with 2.
 */
export function programOptions<const T extends Config>(
  { help, args = process.argv.slice(2) }: ProgramUsage,
  config: T,
): ReturnType<typeof parseArgs<T>> {
  if (args.includes('--help') || args.includes('-h')) {
    console.log(help);
    process.exit(0);
  }
  try {
    return parseArgs<T>({ ...config, args: [...args] });
  } catch (error) {
    return refuseOptions(messageOfNode(error), help);
  }
}

/** Ends the process with 2, after what is wrong with its arguments and the help. */
export function refuseOptions(message: string, help: string): never {
  console.error(`${message}\n\n${help}`);
  process.exit(2);
}

/** The first sentence: the others explain the syntax of all programs. */
function messageOfNode(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error) || !String(error.code).startsWith('ERR_PARSE_ARGS')) throw error;
  const sentence = error.message.split('. ', 1)[0];
  return sentence.replace(/^[A-Z]/, (letter) => letter.toLowerCase());
}
