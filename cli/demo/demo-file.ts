import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Instant } from '../../services/shared/time.ts';
import type { InstancePaths } from '../embedded/instance.ts';
import { makeFolder } from '../folder.ts';
import { PERSONAS } from './core/personas.ts';

/** Raised with every change of the fleet that an older state would not fit. */
const VERSION = 1;

const instant = z.number().int();
const count = z.number().int().nonnegative();

const cluster = z.strictObject({
  status: z.enum(['absent', 'running', 'paused']),
  generation: count,
  since: instant,
  reportedUntil: instant,
  shrunk: z.boolean(),
  ignoredPauses: count,
  sequence: count,
});

const volume = z.strictObject({
  status: z.enum(['absent', 'attached', 'revoked']),
  generation: count,
  since: instant,
  reportedUntil: instant,
  sequence: count,
});

const fleet = z.strictObject({
  at: instant,
  accounts: z
    .array(
      z.strictObject({
        opened: z.boolean(),
        grants: count,
        reservations: count,
        grantedAt: instant,
        exhaustedAt: instant.nullable(),
        promotedUntil: instant,
        extended: z.boolean(),
        fine: z.boolean(),
        clusters: z.array(cluster).readonly(),
        volumes: z.array(volume).readonly(),
      }),
    )
    .length(PERSONAS.length)
    .readonly(),
});

const demoFile = z
  .strictObject({
    version: z.literal(VERSION),
    seed: z.string(),
    began_at: instant,
    epoch_at: instant,
    /** Null until history was imported. */
    fleet: fleet.nullable(),
    /** CloudEvents that were decided on and may not have been sent. */
    outbox: z.array(z.record(z.string(), z.unknown())).readonly(),
    /** Of `control.compute` and `control.storage`: the next record to read. */
    offsets: z.strictObject({ compute: count, storage: count }),
  })
  .readonly();

/** What a demo keeps in the data folder, `demo.json`: with the log, all that it needs to go on. */
export type DemoFile = z.infer<typeof demoFile>;

/** The demo of an instance; undefined if it has none. @throws Error if the file is not one of this version's */
export function readDemoFile(paths: InstancePaths): DemoFile | undefined {
  const path = demoPath(paths);
  if (!existsSync(path)) return undefined;
  const parsed = demoFile.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (parsed.success) return parsed.data;
  throw new Error(
    `${path} is not such as this version writes (${z.prettifyError(parsed.error)}); start with --no-demo, or with ` +
      'another data folder',
  );
}

/** Replaces the file whole: a crash leaves the one or the other. */
export function writeDemoFile(paths: InstancePaths, file: DemoFile): void {
  makeFolder(paths.root, 0o700);
  const path = demoPath(paths);
  writeFileSync(`${path}.part`, `${JSON.stringify(file)}\n`, { mode: 0o600 });
  renameSync(`${path}.part`, path);
}

/** A demo that is first started at `epochAt`, and whose history began at `beganAt`. */
export function newDemoFile(seed: string, beganAt: Instant, epochAt: Instant): DemoFile {
  return {
    ...{ version: VERSION, seed, began_at: beganAt, epoch_at: epochAt },
    ...{ fleet: null, outbox: [], offsets: { compute: 0, storage: 0 } },
  };
}

function demoPath(paths: InstancePaths): string {
  return join(paths.root, 'demo.json');
}
