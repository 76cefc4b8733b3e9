import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';
import type * as Entry from './entry.ts';

const root = resolve(import.meta.dirname, '../..');

/** L1-L10 on random histories, the independent model of rating and credits, or the facts that scenarios state. */
export type Checker = 'laws' | 'model' | 'scenarios';

/** A fault of the core, planted by changing one place of its text. */
export interface Fault {
  readonly name: string;
  /** The rule that it breaks. */
  readonly rule: string;
  /** From the root of the repository. */
  readonly file: string;
  /** Must occur once in the file. */
  readonly find: string;
  readonly replace: string;
  /** What has to find it. */
  readonly by: Checker;
  /** Of a history that shows it at once, for one that takes long to find. */
  readonly seed?: number;
}

/**
 * Bundles replay, with a fault or without one, into a folder, and loads it.
 *
 * @throws Error if the text that a fault names does not occur in its file just once: it was rewritten
 */
export async function replayWith(fault: Fault | undefined, name: string, folder: string): Promise<typeof Entry> {
  const outfile = join(folder, `${name}.mjs`);
  await build({
    entryPoints: [join(import.meta.dirname, 'entry.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'silent',
    plugins: fault === undefined ? [] : [plant(fault)],
  });
  return (await import(pathToFileURL(outfile).href)) as typeof Entry;
}

/** The text of a fault's file with the fault in it. */
export function planted({ file, find, replace, name }: Fault): string {
  const text = readFileSync(join(root, file), 'utf8');
  const parts = text.split(find);
  if (parts.length !== 2)
    throw new Error(`fault "${name}": its text occurs ${parts.length - 1} times in ${file}; write the patch anew`);
  return parts.join(replace);
}

function plant(fault: Fault): Plugin {
  const path = join(root, fault.file);
  return {
    name: 'plant',
    setup: (building) => {
      building.onLoad({ filter: /\.ts$/ }, (source) =>
        source.path === path ? { contents: planted(fault), loader: 'ts' } : undefined,
      );
    },
  };
}
