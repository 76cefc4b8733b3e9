/** B1: updates were lost on the way. The partition stops; its state is rebuilt from the kept updates. */
export class UpdateGap extends Error {
  override readonly name = 'UpdateGap';
}

/** X: time never goes back. The log's order was broken on the way. */
export class TimeWentBack extends Error {
  override readonly name = 'TimeWentBack';
}

/** An account is due or asked for that the shell has not put there. */
export class AccountNotLoaded extends Error {
  override readonly name = 'AccountNotLoaded';
}

/** What came due kept coming due at one instant: a fault of the rules. */
export class EndlessDue extends Error {
  override readonly name = 'EndlessDue';
}

/** Stored state that this version cannot read. Remedy: run the version that wrote it, or rebuild from the kept updates. */
export class UnreadableState extends Error {
  override readonly name = 'UnreadableState';
}
