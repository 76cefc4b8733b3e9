import { z } from 'zod';

/** Environment variables of one concern: name -> what it may be, its default, and what it is for (`describe`). */
export type Variables = Readonly<Record<string, z.ZodType>>;

const text = z.string().min(1);
const flag = z
  .enum(['on', 'off'])
  .default('off')
  .transform((value) => value === 'on');
const whole = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

/** Who logs in is said by variables of its own: a URL is told in messages. */
const address = z
  .url()
  .refine((value) => !/^[a-z+.-]+:\/\/[^/?#]*@/i.test(value), 'it holds a login: that has variables of its own');

/** `host:port`, several separated by commas. */
const addresses = text.transform((value, context) => {
  const found = value.split(',').map((address) => {
    const at = address.lastIndexOf(':');
    const port = Number(address.slice(at + 1));
    const valid = at > 0 && Number.isInteger(port) && port > 0 && port < 65_536;
    if (!valid) context.addIssue({ code: 'custom', message: `${JSON.stringify(address)} is no host:port` });
    return { host: address.slice(0, at), port };
  });
  return found;
});

const trustedByUrl = text
  .optional()
  .describe('file of the authorities that are trusted for a URL of https, PEM; without it those of Node');

export const LOGGING = {
  TOLLGATE_LOG_LEVEL: z
    .enum(['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'])
    .default('info')
    .describe('what is logged, as JSON lines on stdout'),
} satisfies Variables;

export const OPERATIONS = {
  TOLLGATE_OPERATIONS_HOST: text.default('127.0.0.1').describe('where /livez, /readyz and /metrics listen'),
  TOLLGATE_OPERATIONS_PORT: whole(0, 65_535).default(0).describe('their port; 0 for any free one, which the log tells'),
  TOLLGATE_TRACING: flag.describe(
    '`on`: traces by OpenTelemetry; where they go, and how many, is said by its own `OTEL_` variables',
  ),
} satisfies Variables;

export const KAFKA = {
  TOLLGATE_KAFKA_BROKERS: addresses
    .default([{ host: '127.0.0.1', port: 9092 }])
    .describe('`host:port` of some brokers, separated by commas'),
  TOLLGATE_KAFKA_TLS: flag.describe('`on`: connect by TLS'),
  TOLLGATE_KAFKA_TLS_CA: text
    .optional()
    .describe('file of the authorities that are trusted, PEM; without it those of Node'),
  TOLLGATE_KAFKA_TLS_CERT: text.optional().describe('file of the client certificate, PEM'),
  TOLLGATE_KAFKA_TLS_KEY: text.optional().describe('file of its key, PEM'),
  TOLLGATE_KAFKA_SASL_MECHANISM: z
    .enum(['plain', 'scram-sha-256', 'scram-sha-512'])
    .optional()
    .describe('how to log in; without it there is no login'),
  TOLLGATE_KAFKA_USERNAME: text.optional().describe('who logs in'),
  TOLLGATE_KAFKA_PASSWORD: text.optional().describe('secret'),
} satisfies Variables;

export const GROUP = {
  TOLLGATE_SESSION_TIMEOUT_MS: whole(1000, 1_800_000)
    .default(30_000)
    .describe('silent for so long, a member of a consumer group loses its partitions'),
} satisfies Variables;

export const REGISTRY = {
  TOLLGATE_REGISTRY_URL: address.default('http://127.0.0.1:8081').describe('schema registry (Confluent API)'),
  TOLLGATE_REGISTRY_TLS_CA: trustedByUrl,
  TOLLGATE_REGISTRY_USERNAME: text.optional().describe('who logs in'),
  TOLLGATE_REGISTRY_PASSWORD: text.optional().describe('secret'),
} satisfies Variables;

export const REDIS = {
  TOLLGATE_REDIS_NODES: addresses
    .default([{ host: '127.0.0.1', port: 6379 }])
    .describe('`host:port` of the server, or of some nodes of a cluster, separated by commas'),
  TOLLGATE_REDIS_CLUSTER: flag.describe('`on`: it is a Redis Cluster'),
  TOLLGATE_REDIS_DATABASE: whole(0, 100_000).default(0).describe('number of the database; a cluster has 0 only'),
  TOLLGATE_REDIS_PREFIX: text.default('tollgate').describe('what all keys begin with'),
  TOLLGATE_REDIS_TLS: flag.describe('`on`: connect by TLS'),
  TOLLGATE_REDIS_TLS_CA: text
    .optional()
    .describe('file of the authorities that are trusted, PEM; without it those of Node'),
  TOLLGATE_REDIS_TLS_CERT: text.optional().describe('file of the client certificate, PEM'),
  TOLLGATE_REDIS_TLS_KEY: text.optional().describe('file of its key, PEM'),
  TOLLGATE_REDIS_USERNAME: text.optional().describe('who logs in'),
  TOLLGATE_REDIS_PASSWORD: text.optional().describe('secret'),
  TOLLGATE_REDIS_TIMEOUT_MS: whole(100, 600_000).default(10_000).describe('how long a command may take'),
  TOLLGATE_REDIS_ALLOW_UNSAFE: flag.describe(
    '`on`: for a server that forbids CONFIG; what it does not show of its durability is only warned of',
  ),
} satisfies Variables;

export const CLICKHOUSE = {
  TOLLGATE_CLICKHOUSE_URL: address.default('http://127.0.0.1:8123').describe('ClickHouse, its HTTP interface'),
  TOLLGATE_CLICKHOUSE_TLS_CA: trustedByUrl,
  TOLLGATE_CLICKHOUSE_DATABASE: text.default('default').describe('database of the tables'),
  TOLLGATE_CLICKHOUSE_CLUSTER: text
    .optional()
    .describe('name of a cluster of several servers: tables are replicated on it, inserts wait for a quorum'),
  TOLLGATE_CLICKHOUSE_USERNAME: text.default('default').describe('who logs in'),
  TOLLGATE_CLICKHOUSE_PASSWORD: z.string().default('').describe('secret'),
} satisfies Variables;

export const RATER = {
  TOLLGATE_RATER_GROUP_MS: whole(10, 60_000)
    .default(1000)
    .describe('a checkpoint at least so often, where something came and there is no backlog'),
  TOLLGATE_RATER_GROUP_RECORDS: whole(100, 100_000).default(20_000).describe('and after so many records'),
  TOLLGATE_RATER_ACCOUNTS: whole(1, 10_000_000).default(50_000).describe('accounts of a partition kept in memory'),
} satisfies Variables;

export const INGEST = {
  TOLLGATE_HTTP_HOST: text.default('127.0.0.1').describe('where the HTTP door listens'),
  TOLLGATE_HTTP_PORT: whole(0, 65_535).default(8080).describe('its port; 0 for any free one'),
  TOLLGATE_KEYS_FILE: text.describe('file of the API keys: `[{"id", "role", "accounts", "sha256", "expires_at"?}]`'),
  TOLLGATE_TICK_MS: whole(1000, 600_000).default(10_000).describe('how often time is told to every partition'),
} satisfies Variables;

/** The variables of each service; docs/OPERATIONS.md shows them as a table. */
export const SERVICE_VARIABLES = {
  ingest: z.object({ ...LOGGING, ...OPERATIONS, ...INGEST, ...KAFKA, ...GROUP, ...REGISTRY, ...REDIS, ...CLICKHOUSE }),
  rater: z.object({ ...LOGGING, ...OPERATIONS, ...RATER, ...KAFKA, ...GROUP, ...REGISTRY, ...REDIS, ...CLICKHOUSE }),
  enforcer: z.object({ ...LOGGING, ...OPERATIONS, ...KAFKA, ...GROUP, ...REGISTRY, ...REDIS, ...CLICKHOUSE }),
} as const;

/** Of the commands that prepare or look into a cluster. */
export const CLUSTER_VARIABLES = z.object({ ...LOGGING, ...KAFKA, ...REGISTRY, ...REDIS, ...CLICKHOUSE });
export type ClusterSettings = z.output<typeof CLUSTER_VARIABLES>;

export type ServiceName = keyof typeof SERVICE_VARIABLES;

/** The environment does not say what it must: every fault of it at once. */
export class EnvironmentInvalid extends Error {
  override readonly name = 'EnvironmentInvalid';
}

/**
 * Reads variables from the environment. Others that begin with `TOLLGATE_` and that nothing knows are a mistake, too: a
 * misspelt name must not leave a default in force.
 * @throws EnvironmentInvalid
 */
export function readVariables<Settings>(
  variables: z.ZodType<Settings>,
  environment: Readonly<Record<string, string | undefined>>,
): Settings {
  const parsed = variables.safeParse(environment);
  const faults = parsed.success ? [] : [z.prettifyError(parsed.error)];
  for (const name of Object.keys(environment)) {
    if (name.startsWith('TOLLGATE_') && !KNOWN.has(name)) faults.push(`✖ nothing knows it\n  → at ${name}`);
  }
  if (!parsed.success || faults.length > 0) throw new EnvironmentInvalid(`the environment:\n${faults.join('\n')}`);
  return parsed.data;
}

/** `TOLLGATE_KEY` is the command line's; the tests' own are theirs. */
const KNOWN: ReadonlySet<string> = new Set([
  'TOLLGATE_KEY',
  ...Object.values(SERVICE_VARIABLES).flatMap(({ shape }) => Object.keys(shape)),
]);
