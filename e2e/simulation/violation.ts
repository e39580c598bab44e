/** A broken promise: which check detected it, and where. */
export class Violation extends Error {
  readonly check: string;

  constructor(check: string, message: string) {
    super(message);
    this.name = 'Violation';
    this.check = check;
  }
}
