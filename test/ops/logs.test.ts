import type { Level } from 'pino';
import { describe, expect, test } from 'vitest';
import { jsonLogger } from '../../services/shared/runtime/logger.ts';
import { bearer, usage } from '../ingest/harness.ts';
import { MemoryPipeline, PAYING } from './support/pipeline.ts';

/** An account with little credit, a sample that uses it up, and one that is refused. */
async function logsOf(level: Level): Promise<MemoryPipeline> {
  const pipeline = new MemoryPipeline({ level });
  await pipeline.start();
  await pipeline.send(PAYING);
  await pipeline.send([usage('s1'), usage('bad', {}, { gpus: -1 })]);
  await pipeline.stop();
  return pipeline;
}

describe('logs', () => {
  test('one sample is followed by its id from the door to the commands that came of it', async () => {
    const { lines } = await logsOf('debug');
    const taken = lines.find(({ service, event }) => service === 'ingest' && event === 'agent/1/s1');
    expect(taken).toMatchObject({ msg: 'event taken', account: 'acme', partition: 0, offset: 3 });
    const rated = lines.find(({ service, event }) => service === 'rater' && event === 'agent/1/s1');
    expect(rated).toMatchObject({ msg: 'event rated', account: 'acme', outcome: 'applied', partition: 0, offset: 3 });
    expect(rated).toMatchObject({
      lines: ['c/acme/c1/n1/1777888800000/0'],
      updates: [{ account: 'acme', sequence: 3 }],
    });
    expect(rated?.entries).toHaveLength(1);
    const followed = lines.filter(({ service, event_offset }) => service === 'enforcer' && event_offset === 3);
    expect(followed[0]).toMatchObject({ msg: 'update comes', account: 'acme', sequence: 3, standing: 'exhausted' });
    expect(followed.slice(1)).toContainEqual(
      expect.objectContaining({ msg: 'command issued', command: 'alert', alert: 'credits_exhausted', account: 'acme' }),
    );
    expect(lines.find(({ event }) => event === 'agent/1/bad')).toMatchObject({
      msg: 'event refused',
      reason: 'invalid_field',
    });
  });

  test('nothing is told of single events unless it is asked for', async () => {
    const { lines } = await logsOf('info');
    expect(lines.filter(({ msg }) => /^(event|update|command) /.test(msg))).toEqual([]);
    expect(lines.map(({ msg }) => msg)).toContain('rater started');
  });

  test('no key and no body of an event is in any line', async () => {
    const { texts } = await logsOf('trace');
    const all = texts.join('');
    expect(all).not.toContain(bearer('operator').authorization.slice('Bearer '.length));
    expect(all).not.toMatch(/gpu_type|"h100"|"0\.10"/);
  });

  test('a secret that comes along is left out, by the name of its field or in the words of a fault', () => {
    const said: string[] = [];
    const logger = jsonLogger({ level: 'info', base: null }, { write: (text) => void said.push(text) });
    const fault = Object.assign(new Error('http://tollgate:hunter2@clickhouse:8123 refused'), {
      command: { name: 'auth', args: ['tollgate', 'hunter2'] },
      config: { headers: { Authorization: 'Basic aHVudGVyMg==' } },
    });
    logger.error({ err: fault }, 'cannot connect');
    logger.warn({ headers: { authorization: 'Bearer hunter2' }, sasl: { password: 'hunter2' } }, 'kafka');
    logger.info({ settings: { TOLLGATE_REDIS_PASSWORD: 'hunter2', TOLLGATE_REDIS_PREFIX: 'tollgate' } }, 'read');
    logger.info('asked with Authorization: Bearer hunter2, see redis://:hunter2@127.0.0.1:6379/0');
    expect(said.join('')).not.toMatch(/hunter2|aHVudGVyMg/);
    expect(said.join('')).toContain('"TOLLGATE_REDIS_PREFIX":"tollgate"');
    expect(JSON.parse(said[0] ?? '')).toMatchObject({ err: { message: 'http://[secret]@clickhouse:8123 refused' } });
  });
});
