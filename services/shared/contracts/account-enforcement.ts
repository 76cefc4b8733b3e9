import type { Command, PlannedAction, Subject } from './command.ts';
import { commandLine } from './command-line.ts';

/** K: what stands for a resource, and the command that says so as it stands on its topic. */
export interface StandingOrder {
  readonly resource: Subject;
  readonly line: string;
}

/** How enforcement stands for an account, for who asks: what is coming by time (N3), and what stands by resource (K). */
export interface AccountEnforcement {
  readonly coming: readonly PlannedAction[];
  readonly orders: readonly StandingOrder[];
}

/** Writes it for the store. */
export function accountEnforcementText(coming: readonly PlannedAction[], orders: readonly Command[]): string {
  const view: AccountEnforcement = {
    coming,
    orders: orders.map((command) => ({ resource: command.resource, line: commandLine(command) })),
  };
  return JSON.stringify(view);
}

/** What `accountEnforcementText` wrote. */
export function readAccountEnforcement(text: string): AccountEnforcement {
  const { coming, orders }: AccountEnforcement = JSON.parse(text);
  return { coming: coming.map((action) => ({ ...action, gpus: action.gpus ?? undefined })), orders };
}
