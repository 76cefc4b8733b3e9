import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { KAFKA_USES, kafkaAcls } from '../../services/shared/runtime/kafka-acls.ts';
import { aclsScript, RIGHTS_BEGIN, RIGHTS_END, rightsTable } from './support/acls-text.ts';

const SCRIPT = fileURLToPath(new URL('../../ops/kafka/acls.sh', import.meta.url));
const OPERATIONS = new URL('../../docs/OPERATIONS.md', import.meta.url);
/** Stands in for Kafka's own: says what it was called with, a word a line and an empty line at the end. */
const RECORDER = '#!/bin/sh\nprintf "%s\\n" "$@"\necho\n';

test('ops/kafka/acls.sh and the table of OPERATIONS are made from the code', () => {
  expect(readFileSync(SCRIPT, 'utf8')).toBe(aclsScript());
  const page = readFileSync(OPERATIONS, 'utf8');
  const [begin, end] = [page.indexOf(RIGHTS_BEGIN), page.indexOf(RIGHTS_END)];
  expect(page.slice(begin + RIGHTS_BEGIN.length, end).trim()).toBe(rightsTable());
});

test('acls.sh gives each right that the code lists, and no other', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-acls-'));
  try {
    writeFileSync(join(folder, 'kafka-acls.sh'), RECORDER);
    chmodSync(join(folder, 'kafka-acls.sh'), 0o755);
    const env = { PATH: `${folder}:${process.env.PATH}` };
    const said = execFileSync('sh', [SCRIPT, 'kafka:9093', 'admin.properties'], { env, encoding: 'utf8' });
    const given = said
      .trim()
      .split('\n\n')
      .flatMap((call) => rightsOf(call.split('\n')));
    const listed = Object.entries(KAFKA_USES).flatMap(([name, use]) =>
      kafkaAcls(use).map((acl) => `User:${name} ${acl.operation} ${acl.resource} ${acl.name}`),
    );
    expect(given.sort()).toEqual(listed.sort());
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** What one call of kafka-acls.sh gives: each operation on each topic or group. */
function rightsOf(words: readonly string[]): readonly string[] {
  expect(words.slice(0, 5)).toEqual([
    '--bootstrap-server',
    'kafka:9093',
    '--command-config',
    'admin.properties',
    '--add',
  ]);
  const valuesOf = (flag: string) => words.filter((_, at) => words[at - 1] === flag);
  const [principal] = valuesOf('--allow-principal');
  const targets = ['topic', 'group'].flatMap((resource) =>
    valuesOf(`--${resource}`).map((name) => `${resource} ${name}`),
  );
  return valuesOf('--operation').flatMap((operation) => targets.map((target) => `${principal} ${operation} ${target}`));
}
