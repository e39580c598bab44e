import { expect, test } from '@jest/globals';
import { readSettings, settingsCommand } from './settings-command.ts';

test('the help of a flag that means false describes the flag, not the setting', () => {
  const help = settingsCommand('start', 'start the platform').configureHelp({ helpWidth: 200 }).helpInformation();
  expect(help).toMatch(/--no-agent +Does not collect metrics of this host, and does not listen for DogStatsD\.\n/);
  expect(help).not.toContain('Disable:');
});

test('a setting that is allowed and does harm is warned of', async () => {
  const lines: string[] = [];
  const environment = { TIDEMARK_LANE_MARK_MS: '5000' };
  const readText = () => Promise.reject(new Error('no file is named'));
  const command = settingsCommand('start', 'start the platform');
  await readSettings(command, { environment, readText, warn: (line) => lines.push(line) });
  expect(lines).toEqual([expect.stringMatching(/^lane\.markMs: 5000 \(recommended: up to 1000\): /)]);
});

test('variables that mean no setting have no effect, and one warning names all of them', async () => {
  const lines: string[] = [];
  const environment = {
    TIDEMARK_PORT: 'tcp://10.0.0.1:4270',
    TIDEMARK_RELEASE: '7',
    TIDEMARK_DATA: '/data',
    PATH: '/bin',
  };
  const readText = () => Promise.reject(new Error('no file is named'));
  const command = settingsCommand('start', 'start the platform');
  const settings = await readSettings(command, { environment, readText, warn: (line) => lines.push(line) });
  expect(settings.data.folder).toBe('/data');
  expect(lines).toEqual([expect.stringMatching(/^no settings, ignored: TIDEMARK_PORT, TIDEMARK_RELEASE; /)]);
});
