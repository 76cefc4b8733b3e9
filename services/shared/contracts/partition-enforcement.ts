import type { Instant } from '../time.ts';

/** N11: who held or released something, why, and when by the wall clock. */
export interface OperatorWord {
  /** The id of the key. */
  readonly by: string;
  readonly why: string;
  readonly at: Instant;
}

/** How enforcement stands in one partition, for who asks. */
export interface PartitionEnforcement {
  readonly partition: number;
  /** The clock up to which the log was enforced. */
  readonly asOf: Instant;
  /** N11: who holds all accounts. */
  readonly hold: OperatorWord | undefined;
  /** N11: it holds itself. */
  readonly brake: OperatorWord | undefined;
  /** N9. */
  readonly suspended: boolean;
  readonly lastRelease: OperatorWord | undefined;
}

/** Writes it for the store. */
export function partitionEnforcementText(view: PartitionEnforcement): string {
  return JSON.stringify(view);
}

/** What `partitionEnforcementText` wrote. */
export function readPartitionEnforcement(text: string): PartitionEnforcement {
  const { hold, brake, lastRelease, ...rest }: PartitionEnforcement = JSON.parse(text);
  return { ...rest, hold, brake, lastRelease };
}
