/**
 * Who owns which partition numbers: the processes of one group share them, each number on one member at a time, the same
 * number of all topics on the same member. What a member owns is a hint about whom to let work, never a lock: a member
 * that was stopped for a while may work on for a moment, so every write must be fenced by an epoch of its own.
 */
export interface MembershipListener {
  /**
   * Called at every change with all that this member owns now: empty when the group has put it out, or may have. During a
   * rebalance it goes on with what it has until the group has agreed. Must not throw.
   */
  onAssigned(partitions: ReadonlySet<number>): void;
  /** Membership has ended for good, after `onAssigned` with nothing: the process must end. Called at most once. */
  onFailed(fault: Error): void;
}

/** How far one partition of a topic was read and made durable: the offset of the first record that was not. */
export interface ReadOffset {
  readonly partition: number;
  readonly offset: number;
}

export interface Membership {
  /**
   * Where the group stands in partitions of `topic`, for tools that show lag; nobody starts from it. One that does not come
   * through is logged, never thrown, and not tried again.
   */
  tell(topic: string, offsets: readonly ReadOffset[]): Promise<void>;
  /** Leaves the group, so that the others share at once; calls no listener any more. Repeatable, never throws. */
  leave(): Promise<void>;
}
