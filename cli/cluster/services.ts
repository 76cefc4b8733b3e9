import type { ServiceName } from '../../services/shared/runtime/variables.ts';
import { nodeCommand } from '../stack/node-command.ts';
import type { PlannedProcess } from '../stack/plan.ts';

export interface ServicePlan {
  readonly service: ServiceName;
  /** Unique in a plan, e.g. `rater-2`. */
  readonly name: string;
  /** How it reaches the servers, and what it is told beside that. */
  readonly environment: Readonly<Record<string, string>>;
  /** Of `/livez`, `/readyz` and `/metrics`. */
  readonly operationsPort: number;
  /** Of the HTTP door; services without one have none. */
  readonly doorPort?: number;
  readonly restart: boolean;
}

const MAIN: Readonly<Record<ServiceName, URL>> = {
  ingest: new URL('../../services/ingest/main.ts', import.meta.url),
  rater: new URL('../../services/rater/main.ts', import.meta.url),
  enforcer: new URL('../../services/enforcer/main.ts', import.meta.url),
};

/**
 * Of a rater's many events and rows nearly all live for a moment, if the heap of the young has room for those of a run: at
 * V8's own 16 MiB a tenth of the rater's time goes into moving them about.
 */
export const NODE_FLAGS: Readonly<Record<ServiceName, readonly string[]>> = {
  ingest: [],
  rater: ['--max-semi-space-size=64'],
  enforcer: [],
};

/** As long as a service gives itself for a graceful stop. */
const STOP_MS = 60_000;

/** A service as a process of its own on this machine. Nothing of this process's environment is handed on. */
export function plannedService(plan: ServicePlan): PlannedProcess {
  const { service, name, environment, operationsPort, doorPort, restart } = plan;
  const operations = `http://127.0.0.1:${operationsPort}`;
  const { command, args } = nodeCommand(MAIN[service], []);
  return {
    ...{ name, command, args: [...NODE_FLAGS[service], ...args] },
    env: {
      TZ: 'UTC',
      ...environment,
      TOLLGATE_OPERATIONS_PORT: `${operationsPort}`,
      ...(doorPort === undefined ? {} : { TOLLGATE_HTTP_PORT: `${doorPort}` }),
    },
    url: doorPort === undefined ? operations : `http://127.0.0.1:${doorPort}`,
    readiness: { kind: 'http', url: `${operations}/readyz` },
    restart,
    stopMs: STOP_MS,
  };
}
