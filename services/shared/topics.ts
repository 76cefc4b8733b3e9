/** The topics of the pipeline, by what they hold (docs/ARCHITECTURE.md). */
export const TOPICS = {
  events: 'metering.events',
  rejected: 'metering.rejected',
  updates: 'balance.updates',
  alerts: 'control.alerts',
  compute: 'control.compute',
  storage: 'control.storage',
  operations: 'control.operations',
} as const;

export type Topic = (typeof TOPICS)[keyof typeof TOPICS];

/** The version of the rules that lines and state are made by. A release that would rate otherwise raises it. */
export const RULES_VERSION = 1;
