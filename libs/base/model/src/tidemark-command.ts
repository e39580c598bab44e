/** The command line of Tidemark in a clone, for messages that advise a command: the reader can paste it. */
export const TIDEMARK_COMMAND = 'npm run -s tidemark --';
