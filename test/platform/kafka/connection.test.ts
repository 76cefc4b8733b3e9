import { logLevel } from 'kafkajs';
import { expect, it } from 'vitest';
import { type KafkaConnection, kafkaConfig, saslOptions } from '../../../platform/kafka/connection.ts';
import { parseAddress } from '../../../platform/kafka/wire.ts';

const QUIET = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const PLAIN: KafkaConnection = { brokers: ['a:1', 'b:2'], clientId: 'me', logger: QUIET };

it('what is given reaches kafkajs, and nothing that was not', () => {
  expect(kafkaConfig(PLAIN)).toMatchObject({ brokers: ['a:1', 'b:2'], clientId: 'me', requestTimeout: 10_000 });
  expect(kafkaConfig(PLAIN)).not.toHaveProperty('ssl');
  expect(saslOptions(PLAIN)).toBeUndefined();
  const guarded: KafkaConnection = {
    ...PLAIN,
    tls: { ca: 'pem' },
    sasl: { mechanism: 'scram-sha-512', username: 'u', password: 'p' },
  };
  const sasl = { mechanism: 'scram-sha-512', username: 'u', password: 'p' };
  expect(kafkaConfig(guarded)).toMatchObject({ ssl: { ca: 'pem' }, sasl });
});

it('kafkajs tells of its own retries as warnings, not as errors', () => {
  const told: string[] = [];
  const logger = {
    ...QUIET,
    warn: (_: object, message: string) => told.push(message),
    error: () => told.push('error'),
  };
  const log = kafkaConfig({ ...PLAIN, logger }).logCreator?.(logLevel.INFO);
  const entry = { label: '', namespace: 'Connection', log: { timestamp: '', message: 'refused' } };
  log?.({ ...entry, level: logLevel.ERROR });
  expect(told).toEqual(['refused']);
});

it('an address is a host and a port', () => {
  expect(parseAddress('broker-1.example:9092')).toEqual({ host: 'broker-1.example', port: 9092 });
  expect(parseAddress('[::1]:9092')).toEqual({ host: '::1', port: 9092 });
  for (const text of ['', 'host', 'host:', ':9092', 'host:port']) expect(() => parseAddress(text)).toThrow(/ADDRESS/);
});
