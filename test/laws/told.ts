import type { AccountPast } from './past.ts';
import type { Command } from './rows.ts';

/** What a consumer that obeys knows of a cluster or volume. */
export interface Told {
  /** The pause or revoke that is in force, and what the cluster burned then (undefined: not known for sure). */
  stopped: Command | undefined;
  burned: bigint | undefined;
  /** The order that stands: as it was first issued, and as it was sent last. */
  first: Command | undefined;
  sent: Command | undefined;
  /** The instant of the command that was told last. */
  at: number;
  /** The control plane confirmed its end at that very instant, or at the one at hand: before or after, nobody can say. */
  maybeGone: boolean;
}

/** L6: what stands for each resource of an account, by its commands and what the control plane said. */
export class Orders {
  readonly #account: AccountPast;
  readonly #told = new Map<string, Told>();

  constructor(account: AccountPast) {
    this.#account = account;
  }

  /** What a resource was told, once time has come to `at`. A decommission that was confirmed before ends it all. */
  of(key: string, at: number): Told {
    const told = this.#told.get(key) ?? nothing();
    this.#told.set(key, told);
    const confirmed = this.#confirmed(key).filter((clock) => clock >= told.at && clock <= at);
    if (confirmed.some((clock) => clock > told.at && clock < at)) {
      const anew = { ...nothing(), at };
      this.#told.set(key, anew);
      return anew;
    }
    told.maybeGone = confirmed.length > 0;
    return told;
  }

  keys(): readonly string[] {
    return [...this.#told.keys()];
  }

  /** Whether the control plane confirmed the end of a resource after its last command, and by `at`. */
  confirmedBy(key: string, at: number): boolean {
    const told = this.#told.get(key) ?? nothing();
    return this.#confirmed(key).some((clock) => clock >= told.at && clock <= at);
  }

  #confirmed(key: string): readonly number[] {
    const id = key.slice(key.indexOf('/') + 1);
    const { clusters, volumes } = this.#account;
    return (key.startsWith('cluster/') ? clusters.get(id) : volumes.get(id))?.goneAt.all ?? [];
  }
}

function nothing(): Told {
  return { stopped: undefined, burned: undefined, first: undefined, sent: undefined, at: -1, maybeGone: false };
}
