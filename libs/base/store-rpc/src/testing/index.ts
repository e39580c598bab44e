export { answerBytes } from './answer-bytes.ts';
