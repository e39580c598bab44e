/** Uses the folder argv[2] as a disk, and prints the name of each step once it is done. */
import { writeSync } from 'node:fs';
import { writeSmallFile } from '@tidemark/ports';
import { LocalDisk } from '../local-disk.ts';

const disk = new LocalDisk(process.argv[2]);
const done = (step: string) => writeSync(1, `${step}\n`);

const file = await disk.open('a/b/file', { create: true });
done('create');
await file.write(new Uint8Array(100_000), 0);
done('write');
await file.sync();
done('sync');
await file.close();
await disk.rename('a/b/file', 'c/d/file');
done('rename');
await disk.remove('c/d/file');
done('remove');
await disk.remove('a');
done('remove folder');
await writeSmallFile(disk, 'small', Uint8Array.of(1, 2, 3));
done('small file');
await writeSmallFile(disk, 'small', Uint8Array.of(4));
done('small file again');
