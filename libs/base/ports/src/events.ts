/** Receives the events of a process that an operator should read. No method may throw. */
export interface Events {
  readonly info: (message: string, detail?: Readonly<Record<string, unknown>>) => void;
  readonly error: (message: string, detail?: Readonly<Record<string, unknown>>) => void;
  /** The process cannot continue: it must end and be started again. */
  readonly fatal: (error: Error) => void;
}
