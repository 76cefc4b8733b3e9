import { join, resolve } from 'node:path';

/** What is where in the folder of what a supervisor runs. */
export interface RunFolder {
  readonly root: string;
  readonly plan: string;
  readonly status: string;
  readonly logs: string;
  readonly supervisorLog: string;
  /** Held by the command that starts or stops. */
  readonly lock: string;
}

/** The paths of such a folder, absolute; touches nothing. */
export function runFolder(dir: string): RunFolder {
  const root = resolve(dir);
  const logs = join(root, 'logs');
  return {
    ...{ root, logs, supervisorLog: join(logs, 'supervisor.log') },
    ...{ plan: join(root, 'plan.json'), status: join(root, 'status.json'), lock: join(root, 'lock') },
  };
}
