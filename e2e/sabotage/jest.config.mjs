import { fileURLToPath } from 'node:url';
import base from '../../jest.config.mjs';

const [[files, [, options]]] = Object.entries(base.transform);

/** The tests as ever, but with a sabotage in the source: the one that TIDEMARK_SABOTAGE names. */
export default {
  ...base,
  rootDir: fileURLToPath(new URL('../..', import.meta.url)),
  setupFiles: ['<rootDir>/e2e/sabotage/stop-at-failure.ts'],
  transform: { [files]: ['<rootDir>/e2e/sabotage/source-transform.ts', options] },
};
