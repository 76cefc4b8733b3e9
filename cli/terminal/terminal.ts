import type { EventLog } from '../../platform/log/port.ts';
import type { AccountBalance } from '../../services/shared/contracts/account-balance.ts';
import type { PlannedAction } from '../../services/shared/contracts/command.ts';
import { compareText } from '../../services/shared/text-order.ts';
import { formatInstant, type Instant } from '../../services/shared/time.ts';
import { helpLines } from './help.ts';
import { actionText, LastCommands } from './last-commands.ts';
import type { Screen } from './screen.ts';
import { type AccountRow, type Colors, renderTable } from './table.ts';

export interface TerminalOptions {
  readonly screen: Screen;
  readonly colors: Colors;
  /** What the table and the lines below it are about. */
  readonly url: string;
  readonly keyPath: string;
  /** How many events were rated, and the clock of the log. */
  readonly progress: () => { readonly folded: number; readonly clock: Instant };
  /** All accounts, as they stand. */
  readonly accounts: () => Iterable<AccountBalance>;
  readonly comingActions: (accountId: string) => readonly PlannedAction[];
  readonly log: Pick<EventLog, 'read' | 'startOffset' | 'endOffset'>;
  /** What a demo's accounts are there to show. */
  readonly shows: ReadonlyMap<string, string>;
  /** Of an instance that has none of its own, the account that the lines below the table name. */
  readonly exampleAccountId: string;
  readonly now: () => Instant;
  /** Calls `run` after `delayMs`; what it returns calls that off. */
  readonly after: (delayMs: number, run: () => void) => () => void;
  /** Called once if the control topics cannot be read. */
  readonly onFailed: (fault: unknown) => void;
}

export interface Terminal {
  stop(): Promise<void>;
}

const REFRESH_MS = 1000;
/** Rows of the terminal around the table: its frame and head, the line of time, an empty one, and the cursor's. */
const FRAME_ROWS = 8;
const ROWS_LEAST = 3;

/** Draws the table of accounts, with how to ask for more below it, every second in place, until stopped. */
export function startTerminal(options: TerminalOptions): Terminal {
  const { screen, after, onFailed } = options;
  const lastCommands = new LastCommands(options.log);
  const topUpId = `top-up-${Math.floor(options.now() / 1000)}`;
  let stopped = false;
  let underWay = Promise.resolve();
  let cancel = after(0, run);

  function run(): void {
    underWay = lastCommands.refresh().then(() => {
      if (stopped) return;
      screen.draw(renderBlock(options, lastCommands, topUpId));
      cancel = after(REFRESH_MS, run);
    }, onFailed);
  }

  return {
    stop: async () => {
      stopped = true;
      cancel();
      await underWay;
      screen.close();
    },
  };
}

function renderBlock(options: TerminalOptions, lastCommands: LastCommands, topUpId: string): string {
  const { screen, colors, now, url, keyPath, exampleAccountId } = options;
  const rows = [...options.accounts()]
    .sort((left, right) => compareText(left.accountId, right.accountId))
    .map((balance) => rowOf(balance, options, lastCommands));
  const help = helpLines({ url, keyPath, accountId: exampleAccountId, topUpId });
  const wrapped = help.reduce((sum, line) => sum + Math.ceil(line.length / screen.columns), 0);
  const rowsMax = Math.max(ROWS_LEAST, screen.rows - FRAME_ROWS - wrapped);
  const table = renderTable(rows, { columns: screen.columns, rowsMax, now: now(), colors });
  return [headline(options), table, '', ...help.map((line, index) => (index === 0 ? colors.bold(line) : line))].join(
    '\n',
  );
}

function headline({ url, progress, colors }: TerminalOptions): string {
  const { folded, clock } = progress();
  const time = clock < 0 ? 'no event yet' : `${formatInstant(clock).slice(0, 19).replace('T', ' ')} UTC`;
  return `${colors.bold('tollgate')} ${url}   ${time}   ${folded.toLocaleString('en-US')} events rated`;
}

function rowOf(balance: AccountBalance, options: TerminalOptions, lastCommands: LastCommands): AccountRow {
  const { accountId: id, balanceNanos, burnRateNanos, level } = balance;
  const coming = options.comingActions(id)[0];
  return {
    ...{ id, balanceNanos, burnRateNanos, level },
    shows: options.shows.get(id),
    last: lastCommands.of(id),
    next:
      coming === undefined
        ? undefined
        : { what: actionText(coming.command, coming.scope, coming.resource.id), at: coming.at },
  };
}
