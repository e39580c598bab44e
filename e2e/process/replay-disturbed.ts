/** How often a scenario is played. A machine that disturbs each play is too loaded, or the product itself is late. */
const PLAYS = 4;

/**
 * Plays a scenario until it succeeds. A failed play is repeated only if `disturbance` says how the machine disturbed it; an
 * undisturbed failure, and the last one, are thrown. `reset` ends what a play has started.
 */
export async function replayDisturbed(
  play: () => Promise<void>,
  disturbance: () => string | undefined,
  reset: () => Promise<void>,
): Promise<void> {
  for (let plays = 1; ; plays++) {
    try {
      return await play();
    } catch (error) {
      const reason = disturbance();
      if (reason === undefined || plays === PLAYS) throw error;
      process.stderr.write(`play ${plays} of ${PLAYS} failed on a machine that disturbed it: ${reason}: ${error}\n`);
      await reset();
    }
  }
}
