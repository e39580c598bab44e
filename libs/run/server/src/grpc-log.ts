import { setLogger } from '@grpc/grpc-js';

/** The line of grpc-js for a port that cannot be opened; the error of `GrpcServer.listen` reports it with the reason. */
const REPORTED = /^No address added out of total \d+ resolved$/;

/** Makes grpc-js leave out a line that an error reports too. Its other lines continue to go to stderr as before. */
export function quietGrpcLog(write: (line: string) => void = writeToStderr): void {
  const writer = (level: string) => {
    return (...parts: unknown[]) => {
      const text = parts.map(String).join(' ');
      if (!REPORTED.test(text)) write(`${level} ${text}\n`);
    };
  };
  setLogger({ error: writer('E'), info: writer('I'), debug: writer('D') });
}

function writeToStderr(line: string): void {
  process.stderr.write(line);
}
