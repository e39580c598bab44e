/** The era of a log whose clock was never set back. Later ones have the offset of their decision in `control`. */
export const FIRST_ERA = -1;
