/** Receives the events of a process that an operator should read. No method may throw. */
export interface Events {
  readonly info: (message: string, detail?: Readonly<Record<string, unknown>>) => void;
  readonly error: (message: string, detail?: Readonly<Record<string, unknown>>) => void;
  /** Reports that the process cannot continue: it must end and be restarted. */
  readonly fatal: (error: Error) => void;
}
