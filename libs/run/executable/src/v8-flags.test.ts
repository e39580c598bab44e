import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';

// Of an unknown flag V8 only prints that it does not know it.
test.each(['growHeapsFreely', 'returnFreedHeap', 'shareNoWrappers'])('this V8 knows the flag of %s', (name) => {
  const index = JSON.stringify(new URL('./index.ts', import.meta.url).href);
  const script = `const program = await import(${index}); program[${JSON.stringify(name)}](); console.log('set');`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  expect({ stdout, stderr }).toEqual({ stdout: 'set\n', stderr: '' });
});
