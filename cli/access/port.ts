import type { LogReader } from '../../platform/log/port.ts';
import type { StateReader } from '../../platform/state/port.ts';
import type { WarehouseClient } from '../../platform/warehouse/client.ts';
import type { WireFormat } from '../../services/shared/wire/wire-format.ts';

/** The log and the state of an instance or a cluster, read beside whatever runs on it. */
export interface Reading {
  readonly log: LogReader;
  /** How records stand in the log. */
  readonly wire: WireFormat;
  readonly state: StateReader;
  /** How many each topic of the log has. */
  readonly partitions: number;
  close(): Promise<void>;
}

/** An instance, running or stopped, or a cluster, of which everything can be read. */
export interface Access extends Reading {
  /** Made for long reads. */
  readonly warehouse: WarehouseClient;
  /**
   * Resolves once all before this offset of a partition's log was rated, enforced and checkpointed.
   * @param progress told up to where it is, while it has to be waited for and that is known
   * @throws CommandFailed if that comes no nearer
   */
  processed(partition: number, offset: number, progress?: (done: number) => void): Promise<void>;
}

/** The longest that one query of an export may take. */
export const QUERY_MS = 6 * 3_600_000;
