import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Jars } from './jars.ts';
import { javaEnvironment } from './java.ts';
import type { PlannedProcess } from './plan.ts';

export interface RegistryOptions {
  /** Made if absent; the schemas and their ids. */
  readonly dataDir: string;
  readonly port: number;
  readonly jars: Pick<Jars, 'registryApp'>;
}

const STOP_MS = 20_000;

/**
 * The schema registry (Apicurio, by Confluent's interface below /apis/ccompat/v7). By default it holds schemas in memory
 * and would give other ids after a restart: here they are in an H2 file, written through at each commit.
 */
export async function prepareRegistry({ dataDir, port, jars }: RegistryOptions): Promise<PlannedProcess> {
  await mkdir(dataDir, { recursive: true });
  const settings = {
    'quarkus.http.host': '127.0.0.1',
    'quarkus.http.port': port,
    'quarkus.http.access-log.enabled': false,
    'apicurio.storage.kind': 'sql',
    'apicurio.storage.sql.kind': 'h2',
    // WRITE_DELAY is 500 ms by default: a schema that was acknowledged would not survive a kill
    'apicurio.datasource.url': `jdbc:h2:file:${join(dataDir, 'registry')};WRITE_DELAY=0;DB_CLOSE_ON_EXIT=FALSE`,
    'apicurio.datasource.jdbc.initial-size': 2,
    'apicurio.datasource.jdbc.min-size': 2,
    'apicurio.datasource.jdbc.max-size': 20,
    // by default it gives up after 5 s, which the first connection to a file of before can take on a busy machine
    'quarkus.datasource.h2.jdbc.acquisition-timeout': '60S',
    'apicurio.storage.snapshot.location': dataDir,
  };
  const java = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:+ExitOnOutOfMemoryError'];
  const set = Object.entries(settings).map(([name, value]) => `-D${name}=${value}`);
  const url = `http://127.0.0.1:${port}`;
  return {
    name: 'registry',
    command: 'java',
    args: [...java, ...set, '-jar', jars.registryApp],
    env: javaEnvironment(),
    url: `${url}/apis/ccompat/v7`,
    readiness: { kind: 'http', url: `${url}/health/ready` },
    restart: true,
    stopMs: STOP_MS,
  };
}
