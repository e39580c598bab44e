import { expect, test } from '@jest/globals';
import { readSettingsFile } from './settings-file.ts';

test('a settings file is read with its name and its text, and an unreadable file is not_found', async () => {
  const text = '{"http": {"port": 4270}}';
  expect(await readSettingsFile('a.json', async () => text)).toEqual({ name: 'a.json', text });
  const missing = readSettingsFile('b.json', () => Promise.reject(new Error('ENOENT')));
  await expect(missing).rejects.toMatchObject({
    code: 'not_found',
    message: "can't read the settings file b.json: Error: ENOENT",
  });
});
