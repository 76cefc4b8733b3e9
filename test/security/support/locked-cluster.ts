import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { createTopics, migrateWarehouse } from '../../../cli/cluster/prepare.ts';
import { plannedService } from '../../../cli/cluster/services.ts';
import { instanceKeys, instancePaths, operatorKey } from '../../../cli/embedded/instance.ts';
import { freePorts } from '../../../cli/stack/ports.ts';
import { redisAclRules } from '../../../platform/redis/acl.ts';
import { clusterRegistry } from '../../../services/shared/runtime/connect.ts';
import { KAFKA_USES, type KafkaClientName, kafkaAcls } from '../../../services/shared/runtime/kafka-acls.ts';
import { CLUSTER_VARIABLES, readVariables, type ServiceName } from '../../../services/shared/runtime/variables.ts';
import { registerSchemas } from '../../../services/shared/wire/register-schemas.ts';
import { startClickHouse, startRegistry } from '../../integration/support/components.ts';
import { type RealProcess, realProcess } from '../../integration/support/real-process.ts';
import { TestRedis } from '../../platform/redis/support.ts';
import { makeAuthority } from './certificates.ts';
import { refuseAsClickHouse, refuseAsRegistry, startHttpsProxy } from './https-proxy.ts';
import { passwordOf, type SecureKafka, startSecureKafka } from './secure-kafka.ts';

type Environment = Readonly<Record<string, string>>;

/** A cluster in which every way has TLS and a login, and nobody may do more than the documents give him. */
export interface LockedCluster {
  readonly kafka: SecureKafka;
  readonly services: Readonly<Record<ServiceName, RealProcess>>;
  /** HTTP door of ingest. */
  readonly door: string;
  readonly operatorKey: string;
  /** What reaches all servers as one of the users of Kafka. */
  environmentOf(user: KafkaClientName): Environment;
  /** A further process of a service, that is not started again when it ends. @param other variables instead of the right ones */
  planned(service: ServiceName, other?: Environment): Promise<ReturnType<typeof plannedService>>;
  /** All that the services have written, by the name of the file. */
  logs(): ReadonlyMap<string, string>;
  stop(): Promise<void>;
}

/** Of everything but Kafka, whose users have their own. */
export const PASSWORDS = {
  registry: 'pw+/%@:of-the-registry=',
  redis: 'pw+/%@:of-redis=',
  warehouse: 'pw+/%@:of-the-warehouse=',
} as const;

/** A member that may not even leave its group is waited for that long. */
const SHORT_SESSION = { TOLLGATE_SESSION_TIMEOUT_MS: '6000' };

/** Starts the servers, gives the rights, prepares as a release does, and starts a service of each kind. */
export async function startLockedCluster(folder: string): Promise<LockedCluster> {
  const authority = makeAuthority(join(folder, 'certificates'), 'authority');
  const identity = authority.issue('server');
  const releases: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const release of releases.splice(0).reverse()) await release();
  };
  try {
    const users = Object.keys(KAFKA_USES) as KafkaClientName[];
    const kafka = await startSecureKafka({ folder, identity, authority, users, scramUsers: users });
    releases.push(() => kafka.stop());
    await kafka.allow(users.flatMap((user) => kafkaAcls(KAFKA_USES[user]).map((acl) => ({ user, ...acl }))));

    const [redisPort = 0] = await freePorts(1);
    const redis = await TestRedis.start([
      ...['--tls-port', `${redisPort}`, '--tls-cert-file', identity.cert, '--tls-key-file', identity.key],
      ...['--tls-ca-cert-file', authority.ca, '--tls-auth-clients', 'no'],
    ]);
    releases.push(() => redis.stop());
    const rules = redisAclRules('tollgate', false);
    await redis.command(['acl', 'setuser', 'tollgate', 'reset', 'on', `>${PASSWORDS.redis}`, ...rules]);

    const registry = await startRegistry();
    releases.push(() => registry.stop());
    const registryLogin = { username: 'tollgate', password: PASSWORDS.registry, refuse: refuseAsRegistry };
    const registryDoor = await startHttpsProxy({ identity, target: registry.url, ...registryLogin });
    releases.push(() => registryDoor.close());

    const warehouse = await startClickHouse();
    releases.push(() => warehouse.stop());
    const warehouseLogin = { username: 'tollgate', password: PASSWORDS.warehouse, refuse: refuseAsClickHouse };
    const warehouseDoor = await startHttpsProxy({ identity, target: warehouse.url, ...warehouseLogin });
    releases.push(() => warehouseDoor.close());

    const environmentOf = (user: KafkaClientName): Environment => ({
      ...{ TOLLGATE_KAFKA_BROKERS: kafka.secure, TOLLGATE_KAFKA_TLS: 'on', TOLLGATE_KAFKA_TLS_CA: authority.ca },
      ...{ TOLLGATE_KAFKA_SASL_MECHANISM: 'scram-sha-512', TOLLGATE_KAFKA_USERNAME: user },
      ...{ TOLLGATE_KAFKA_PASSWORD: passwordOf(user) },
      ...{ TOLLGATE_REGISTRY_URL: registryDoor.url, TOLLGATE_REGISTRY_TLS_CA: authority.ca },
      ...{ TOLLGATE_REGISTRY_USERNAME: 'tollgate', TOLLGATE_REGISTRY_PASSWORD: PASSWORDS.registry },
      ...{
        TOLLGATE_REDIS_NODES: `127.0.0.1:${redisPort}`,
        TOLLGATE_REDIS_TLS: 'on',
        TOLLGATE_REDIS_TLS_CA: authority.ca,
      },
      ...{ TOLLGATE_REDIS_USERNAME: 'tollgate', TOLLGATE_REDIS_PASSWORD: PASSWORDS.redis },
      ...{ TOLLGATE_CLICKHOUSE_URL: warehouseDoor.url, TOLLGATE_CLICKHOUSE_TLS_CA: authority.ca },
      ...{ TOLLGATE_CLICKHOUSE_USERNAME: 'tollgate', TOLLGATE_CLICKHOUSE_PASSWORD: PASSWORDS.warehouse },
    });

    const settings = readVariables(CLUSTER_VARIABLES, environmentOf('tollgate-topics'));
    const topics = { partitions: 1, logTime: 'event', replicationFactor: 1 } as const;
    await createTopics(settings, topics, pino({ level: 'silent' }));
    await registerSchemas(clusterRegistry(settings));
    await migrateWarehouse(settings);

    const paths = instancePaths(join(folder, 'keys'));
    instanceKeys(paths);
    const logs = join(folder, 'logs');
    mkdirSync(logs);
    const planned = async (service: ServiceName, other: Environment = {}) => {
      const [operationsPort = 0, doorPort = 0] = await freePorts(2);
      const own = {
        ...environmentOf(`tollgate-${service}`),
        TOLLGATE_KEYS_FILE: paths.keys,
        ...SHORT_SESSION,
        ...other,
      };
      const plan = { service, name: service, environment: own, operationsPort, restart: true };
      return plannedService(service === 'ingest' ? { ...plan, doorPort } : plan);
    };
    const place = async (service: ServiceName): Promise<RealProcess> => {
      const placed = realProcess(await planned(service), { logFile: join(logs, `${service}.log`) });
      releases.push(() => placed.stop());
      return placed;
    };
    const services = {
      rater: await place('rater'),
      enforcer: await place('enforcer'),
      ingest: await place('ingest'),
    };
    await Promise.all(Object.values(services).map((service) => service.start()));
    return {
      ...{ kafka, services, door: services.ingest.url, operatorKey: operatorKey(paths), environmentOf, planned, stop },
      logs: () => new Map(readdirSync(logs).map((name) => [name, readFileSync(join(logs, name), 'utf8')])),
    };
  } catch (fault) {
    await stop();
    throw fault;
  }
}
