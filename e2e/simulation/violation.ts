/** A promise that was broken: which check saw it, and where. */
export class Violation extends Error {
  readonly check: string;

  constructor(check: string, message: string) {
    super(message);
    this.name = 'Violation';
    this.check = check;
  }
}
