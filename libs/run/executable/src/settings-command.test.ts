import { expect, test } from '@jest/globals';
import { settingsCommand } from './settings-command.ts';

test('the help of a flag that means false describes the flag, not the setting', () => {
  const help = settingsCommand('start', 'start the platform').configureHelp({ helpWidth: 200 }).helpInformation();
  expect(help).toMatch(/--no-agent +Does not collect metrics of this host, and does not listen for DogStatsD\.\n/);
  expect(help).not.toContain('Disable:');
});
