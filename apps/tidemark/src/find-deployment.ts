import { credentials } from '@grpc/grpc-js';
import type { Deployment } from './deployment.ts';
import type { RemoteOptions } from './endpoints.ts';
import { settingsOfFile } from './file-settings.ts';

/** Returns the cluster that the settings describe, or the single process at `address`. Errors: those of the settings. */
export async function deploymentOf({ address, settings: file, key }: RemoteOptions): Promise<Deployment> {
  if (file === undefined) return singleProcess(address, key);
  const settings = await settingsOfFile(file);
  const { cluster, grpc } = settings;
  if (cluster.coordinator.length === 0 && cluster.queries.length === 0)
    return singleProcess(`127.0.0.1:${grpc.port}`, key);
  // This import loads all parts of a cluster's process, which a command for a single process does not need.
  const { clusterDeployment } = await import('./cluster-deployment.ts');
  return clusterDeployment(settings, key);
}

function singleProcess(address: string, key: string | undefined): Deployment {
  return {
    targets: [{ kind: 'platform', address, partitions: [] }],
    processKey: key,
    statusKey: key,
    credentials: credentials.createInsecure(),
    kafka: undefined,
  };
}
