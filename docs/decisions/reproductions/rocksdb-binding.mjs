// biome-ignore-all lint/suspicious/noConsole: a script that is read at the terminal.
/**
 * Shows what decision 0002 rests on: under this Node, the npm package `rocksdb` can't be loaded, and `rocksdb-native`
 * opens, writes, kills itself, and finds what it wrote. Both are installed from the registry into a temporary folder.
 *
 *   npx node docs/decisions/reproductions/rocksdb-binding.mjs
 *
 * Exits with 0 when both are as the decision says, else with 1.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'rocksdb-binding-'));

/** Runs a script in the folder, in a process of its own, as a binding that fails may end it. */
function run(name, source) {
  const file = join(folder, `${name}.cjs`);
  writeFileSync(file, source);
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [file], { cwd: folder, encoding: 'utf8' });
  const lastLine = `${stdout}${stderr}`
    .trim()
    .split('\n')
    .findLast((line) => /bad_alloc|Error|found|loaded/.test(line));
  console.log(`${name}: ${signal ?? `exit ${status}`} ${lastLine ?? ''}`);
  return { ok: status === 0, signal, stdout };
}

function install(specifier) {
  console.log(`installing ${specifier} …`);
  // Without scripts: both packages bring their binaries, and `rocksdb` would answer its own failure by compiling RocksDB.
  execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', specifier], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

try {
  console.log(`node ${process.version} ${process.platform} ${process.arch}`);
  writeFileSync(join(folder, 'package.json'), '{"private":true}');

  install('rocksdb@5.2.1');
  const old = run('rocksdb-5.2.1', `require('rocksdb'); console.log('loaded');`);

  install('rocksdb-native@3.18.1');
  const write = run(
    'rocksdb-native-write',
    `const RocksDB = require('rocksdb-native');
     (async () => {
       const db = new RocksDB('db');
       await db.ready();
       const batch = db.write({ capacity: 1000 });
       for (let i = 0; i < 1000; i++) batch.tryPut(Buffer.from('k' + i), Buffer.alloc(200, i));
       await batch.flush();
       process.kill(process.pid, 'SIGKILL');
     })();`,
  );
  const read = run(
    'rocksdb-native-read',
    `const RocksDB = require('rocksdb-native');
     (async () => {
       const db = new RocksDB('db');
       await db.ready();
       let count = 0;
       for await (const entry of db.iterator({})) count += entry.value.length === 200 ? 1 : 0;
       console.log('found ' + count);
       await db.close();
     })();`,
  );

  const asDecided = !old.ok && write.signal === 'SIGKILL' && read.stdout.includes('found 1000');
  console.log(asDecided ? 'as decision 0002 says' : 'NOT as decision 0002 says: check the decision again');
  process.exitCode = asDecided ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
