import { expect, it } from 'vitest';
import { type KafkaConnection, saslOptions } from '../../../platform/kafka/connection.ts';
import { parseAddress } from '../../../platform/kafka/wire.ts';

const QUIET = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const PLAIN: KafkaConnection = { brokers: ['a:1', 'b:2'], clientId: 'me', logger: QUIET };

it('credentials are given in the shape of kafkajs, if there are any', () => {
  expect(saslOptions(PLAIN)).toBeUndefined();
  for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512'] as const) {
    const sasl = { mechanism, username: 'u', password: 'p' };
    expect(saslOptions({ ...PLAIN, sasl })).toEqual(sasl);
  }
});

it('an address is a host and a port', () => {
  expect(parseAddress('broker-1.example:9092')).toEqual({ host: 'broker-1.example', port: 9092 });
  expect(parseAddress('[::1]:9092')).toEqual({ host: '::1', port: 9092 });
  for (const text of ['', 'host', 'host:', ':9092', 'host:port']) expect(() => parseAddress(text)).toThrow(/ADDRESS/);
});
