/** One configuration for every library and application; the suffix of a test file says what it needs. */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/apps', '<rootDir>/libs', '<rootDir>/e2e', '<rootDir>/bench', '<rootDir>/tools'],
  testRegex: ['\\.test\\.ts$'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  modulePathIgnorePatterns: ['/dist/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' }, module: { type: 'es6' } }],
  },
  // Ends a test that hangs. Its own waits have deadlines; how long it takes is up to the machine and what else it does.
  testTimeout: 120_000,
  // A worker of a busy machine takes longer than the default of 500 ms to exit after its last test. One that has not exited
  // after this time has a test that left something open.
  workerGracefulExitTimeout: 10_000,
};
