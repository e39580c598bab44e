import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const PROGRAM_MS = 60_000;
const ALIAS = 'broker';
/** Password of a store that is deleted with the test's folder. */
const PASSWORD = 'for-tests-only';

/** Makes a key and a self-signed certificate for 127.0.0.1, where `folder` has none yet. */
export async function makeKeyStore(folder: string) {
  const path = join(folder, 'broker.p12');
  const pem = join(folder, 'broker.pem');
  const store = ['-keystore', path, '-storetype', 'PKCS12', '-storepass', PASSWORD, '-alias', ALIAS];
  await mkdir(folder, { recursive: true });
  if (!existsSync(pem)) {
    const name = ['-dname', 'CN=127.0.0.1', '-ext', 'SAN=ip:127.0.0.1,dns:localhost'];
    const key = ['-keyalg', 'EC', '-groupname', 'secp256r1', '-validity', '3650'];
    await run('keytool', ['-genkeypair', ...store, ...key, ...name], { timeout: PROGRAM_MS });
    await run('keytool', ['-exportcert', '-rfc', ...store, '-file', pem], { timeout: PROGRAM_MS });
  }
  return { keyStore: { path, password: PASSWORD }, certificate: await readFile(pem, 'utf8') };
}
