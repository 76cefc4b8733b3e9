import { SingleBar } from 'cli-progress';
import picocolors from 'picocolors';
import type { DestinationStream, Logger } from 'pino';
import { balanceOf } from '../../services/rater/core/balances.ts';
import { Releases } from '../../services/shared/runtime/releases.ts';
import type { Instant } from '../../services/shared/time.ts';
import type { Embedded } from '../embedded/embedded.ts';
import type { InstancePaths } from '../embedded/instance.ts';
import { type Output, Screen } from '../terminal/screen.ts';
import { startTerminal } from '../terminal/terminal.ts';
import { PERSONAS } from './core/personas.ts';
import { startFleet } from './fleet.ts';
import { importHistory } from './history.ts';

export interface ShowOptions {
  readonly paths: InstancePaths;
  /** Whether a demo fleet is wanted; an instance that was begun without one stays without. */
  readonly demo: boolean;
  /** Where the table is drawn if it is a terminal: stdout. */
  readonly output: Output & NodeJS.WritableStream;
  /** The wall clock, integer ms. */
  readonly now: () => Instant;
}

/** What `tollgate start` shows beside its log: a demo, and on a terminal the table of accounts. */
export interface Show {
  /** On a terminal, where the logger has to write so that its lines stand above the table; undefined elsewhere. */
  readonly destination: DestinationStream | undefined;
  /** Before `startEmbedded`, which takes the data folder: the demo's history, at the first start. */
  prepare(logger: Logger, signal?: AbortSignal): Promise<void>;
  /** After it: the fleet and the table. Resolves to what ends them, to be called before the pipeline is stopped. */
  begin(embedded: Embedded, logger: Logger): () => Promise<void>;
}

/** The account that the lines below the table name: what happens to it can be seen within minutes. */
const EXAMPLE = 'ember-bio';

export function openShow(options: ShowOptions): Show {
  const { paths, output, now } = options;
  const screen = output.isTTY === true ? new Screen(output) : undefined;
  let isDemo = false;
  return {
    destination: screen,
    prepare: async (logger, signal) => {
      if (!options.demo) return;
      const bar = progressBar(output);
      try {
        isDemo = await importHistory({
          ...{ paths, logger, now, progress: bar.show },
          ...(signal === undefined ? {} : { signal }),
        });
      } finally {
        bar.stop();
      }
      if (!isDemo) logger.info({ data: paths.root }, 'this instance was begun without the demo, which is left out');
    },
    begin: (embedded, logger) => {
      const releases = new Releases();
      if (isDemo) {
        const { url, operatorKey: key, stores } = embedded;
        const fleet = startFleet({ paths, url, key, log: stores.log, now, after, logger });
        releases.add(() => fleet.stop());
      }
      if (screen !== undefined) {
        const terminal = showTable(screen, embedded, options, isDemo, logger);
        releases.add(() => terminal.stop());
      }
      return () => releases.release();
    },
  };
}

function showTable(screen: Screen, embedded: Embedded, { paths, now }: ShowOptions, isDemo: boolean, logger: Logger) {
  const { rater, enforcer } = embedded.pipeline;
  return startTerminal({
    screen,
    colors: picocolors,
    url: embedded.url,
    keyPath: paths.operatorKey,
    progress: () => rater.progress,
    accounts: () => [...rater.accounts()].map(balanceOf),
    comingActions: (accountId) => enforcer.comingActions(accountId),
    log: embedded.stores.log,
    shows: new Map(isDemo ? PERSONAS.map(({ accountId, shows }) => [accountId, shows]) : []),
    exampleAccountId: isDemo ? EXAMPLE : 'acme',
    now,
    after,
    onFailed: (fault) => logger.error({ err: fault }, 'the table of accounts has stopped'),
  });
}

function after(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
}

function progressBar(output: ShowOptions['output']) {
  if (output.isTTY !== true) return { show: () => undefined, stop: () => undefined };
  const format = 'importing a month of history of a dozen accounts {bar} {percentage}% | {value}/{total} events';
  const bar = new SingleBar({ format, stream: output, hideCursor: true, clearOnComplete: true, fps: 5 });
  let started = false;
  return {
    show: (done: number, total: number): void => {
      if (started) bar.update(done);
      else bar.start(total, done);
      started = true;
    },
    stop: (): void => {
      if (started) bar.stop();
    },
  };
}
