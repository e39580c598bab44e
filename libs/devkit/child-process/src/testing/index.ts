export { realSuite } from './real-suite.ts';
