import type { AccountPast, PricedAt } from './past.ts';
import type { Command } from './rows.ts';
import { Orders } from './told.ts';

/** What is known while the commands of one account are judged in the order of issue. */
export class Judge {
  readonly broken: string[] = [];
  readonly account: AccountPast;
  readonly prices: readonly PricedAt[];
  readonly orders: Orders;
  /** The alerts so far, by id. */
  readonly alerts = new Map<string, Command>();
  /** The last `credits_restored`. */
  restored: Command | undefined;
  episodes = 0;

  constructor(account: AccountPast, prices: readonly PricedAt[]) {
    this.account = account;
    this.prices = prices;
    this.orders = new Orders(account);
  }

  break(law: string, command: Command, what: string): void {
    this.broken.push(`${law}: ${what}: ${command.id} at ${new Date(command.at).toISOString()}`);
  }
}
