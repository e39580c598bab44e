import { addressProblem } from '@tidemark/model/grpc-address';
import { InvalidArgumentError } from 'commander';

/** Checks the gRPC address of a command line. Throws commander's `InvalidArgumentError`. */
export function parseAddress(text: string): string {
  const problem = addressProblem(text);
  if (problem !== undefined) throw new InvalidArgumentError(problem);
  return text;
}
