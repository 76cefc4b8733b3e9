import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { EnvironmentInvalid, readVariables, SERVICE_VARIABLES } from '../../../services/shared/runtime/variables.ts';
import { VARIABLES_BEGIN, VARIABLES_END, variablesTable } from './variables-table.ts';

const OPERATIONS = new URL('../../../docs/OPERATIONS.md', import.meta.url);

describe('the environment of a service', () => {
  test('what is not given has a default, but for what has none', () => {
    expect(readVariables(SERVICE_VARIABLES.rater, {})).toMatchObject({
      TOLLGATE_KAFKA_BROKERS: [{ host: '127.0.0.1', port: 9092 }],
      TOLLGATE_REDIS_CLUSTER: false,
    });
    expect(() => readVariables(SERVICE_VARIABLES.ingest, {})).toThrow(/TOLLGATE_KEYS_FILE/);
  });

  test('every fault is told at once, a misspelt name among them, and no secret', () => {
    const environment = {
      TOLLGATE_KAFKA_BROKERS: 'nowhere',
      TOLLGATE_REDIS_TLS: 'yes',
      TOLLGATE_KAFKA_PASWORD: 'hunter2',
      PATH: '/bin',
    };
    let told = '';
    try {
      readVariables(SERVICE_VARIABLES.rater, environment);
    } catch (fault) {
      expect(fault).toBeInstanceOf(EnvironmentInvalid);
      told = String(fault);
    }
    for (const name of ['TOLLGATE_KAFKA_BROKERS', 'TOLLGATE_REDIS_TLS', 'TOLLGATE_KAFKA_PASWORD']) {
      expect(told).toContain(name);
    }
    expect(told).not.toContain('hunter2');
  });

  test('several brokers, and IPv6', () => {
    const { TOLLGATE_KAFKA_BROKERS: brokers } = readVariables(SERVICE_VARIABLES.rater, {
      TOLLGATE_KAFKA_BROKERS: 'kafka-1:9092,[::1]:9093',
    });
    expect(brokers).toEqual([
      { host: 'kafka-1', port: 9092 },
      { host: '[::1]', port: 9093 },
    ]);
  });

  test('docs/OPERATIONS.md shows them all, as the code has them', () => {
    const page = readFileSync(OPERATIONS, 'utf8');
    const begin = page.indexOf(VARIABLES_BEGIN);
    const end = page.indexOf(VARIABLES_END);
    expect(begin).toBeGreaterThan(0);
    expect(page.slice(begin + VARIABLES_BEGIN.length, end).trim()).toBe(variablesTable().trim());
  });
});
