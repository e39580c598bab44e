import { expect, test } from '@jest/globals';
import { unsyncedOf } from './trace-syncs.ts';

const at = (lines: readonly string[]) =>
  unsyncedOf([...lines, '1 write(1</dev/null>, "end\\n", 4) = 4'].join('\n'), '/d');

test('bytes are unsynced until a sync of their file that succeeded', () => {
  const write = '1 pwrite64(9</d/f>, "a", 1, 0) = 1';
  expect(at([write])).toEqual([{ step: 'end', files: ['/d/f'], folders: [] }]);
  expect(at([write, '1 fdatasync(9</d/f>) = 0'])[0].files).toEqual([]);
  expect(at([write, '1 fdatasync(9</d/f>) = -1 EIO (Input/output error)'])[0].files).toEqual(['/d/f']);
  expect(at(['1 write(9</other>, "a", 1) = 1'])[0].files).toEqual([]);
});

test('a name is unsynced until a sync of its folder; bytes keep it through a rename', () => {
  const open = '1 openat(AT_FDCWD</>, "/d/f", O_RDWR|O_CREAT|O_EXCL|O_CLOEXEC, 0666) = 9</d/f>';
  expect(at([open])[0].folders).toEqual(['/d']);
  expect(at([open, '1 fsync(8</d>) = 0'])[0].folders).toEqual([]);
  const moved = at(['1 write(9</d/f>, "a", 1) = 1', '1 rename("/d/f", "/d/e/g") = 0'])[0];
  expect(moved).toEqual({ step: 'end', files: ['/d/e/g'], folders: ['/d', '/d/e'] });
  expect(at(['1 openat(AT_FDCWD</>, "/d/f", O_RDWR|O_CLOEXEC) = -1 ENOENT (No such file)'])[0].folders).toEqual([]);
});

test('a call that another thread interrupts counts when it returns', () => {
  const lines = ['1 pwrite64(9</d/f>, "a", 1, 0) = 1', '2 fdatasync(9</d/f> <unfinished ...>'];
  expect(at(lines)[0].files).toEqual(['/d/f']);
  expect(at([...lines, '2 <... fdatasync resumed>) = 0'])[0].files).toEqual([]);
});
