import { expect, test } from '@jest/globals';
import { readSettingsFile } from './settings-file.ts';

test('a settings file is read with its name and its text', async () => {
  const text = '{"http": {"port": 4270}}';
  expect(await readSettingsFile('a.json', async () => text)).toEqual({ name: 'a.json', text });
});

test.each([
  ['ENOENT', 'the settings file /etc/b.json does not exist'],
  ['EACCES', 'cannot read the settings file /etc/b.json: permission denied'],
  ['EISDIR', 'cannot read the settings file /etc/b.json: it is a folder'],
  ['EIO', 'cannot read the settings file /etc/b.json: EIO: it is so'],
])('the message for %s of a settings file has its whole path and the reason', async (code, message) => {
  const failed = readSettingsFile('/etc/b.json', () =>
    Promise.reject(Object.assign(new Error(`${code}: it is so`), { code })),
  );
  await expect(failed).rejects.toMatchObject({ code: 'not_found', message });
});
