export { archiveGeneration, DAY, type DayLog, dayLog, LIMITS, NAMES, readLog } from './archived-log.ts';
