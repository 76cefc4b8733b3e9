import { CLUSTER_VARIABLES, type ClusterSettings, readVariables } from '../../services/shared/runtime/variables.ts';
import { readClusterFile } from '../cluster/cluster.ts';

/** What `--data` and `--cluster` say. */
export interface Where {
  readonly data: string;
  /** The cluster that the environment names, whatever `data` is. */
  readonly cluster?: boolean;
}

/** What a command looks into. */
export type Place =
  | { readonly kind: 'embedded'; readonly name: string; readonly data: string }
  | {
      readonly kind: 'cluster';
      readonly name: string;
      readonly settings: ClusterSettings;
      /** The HTTP door of one that runs from a folder of this machine. */
      readonly door: string | undefined;
    };

/**
 * What is meant by `--data` and `--cluster`: a folder holds a cluster if `tollgate cluster up` made it.
 * @throws EnvironmentInvalid, StackError for a folder of a cluster that cannot be read
 */
export function placeOf(
  { data, cluster = false }: Where,
  environment: Readonly<Record<string, string | undefined>>,
): Place {
  if (cluster) {
    const settings = readVariables(CLUSTER_VARIABLES, environment);
    return { kind: 'cluster', name: 'the cluster', settings, door: undefined };
  }
  const file = readClusterFile(data);
  if (file === undefined) return { kind: 'embedded', name: data, data };
  const settings = readVariables(CLUSTER_VARIABLES, file.environment);
  return { kind: 'cluster', name: data, settings, door: file.door };
}
