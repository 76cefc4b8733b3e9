import { Enforcement } from '../../../services/enforcer/core/enforcement.ts';
import type { Rules } from '../../../services/enforcer/core/rules.ts';
import type { Drop } from '../../../services/enforcer/core/turn.ts';
import type { Command } from '../../../services/shared/contracts/command.ts';
import type { Instant } from '../../../services/shared/time.ts';
import { type Input, World } from './world.ts';

/** A world whose inputs go straight into an enforcement, and what came of it. */
export class Bench {
  readonly enforcement: Enforcement;
  readonly world: World;
  readonly inputs: Input[] = [];
  readonly commands: Command[] = [];
  readonly drops: Drop[] = [];

  constructor(rules?: Rules) {
    this.enforcement = new Enforcement(0, rules === undefined ? {} : { rules });
    this.world = new World((input) => {
      this.inputs.push(input);
      this.enforcement.apply(
        input,
        (command) => this.commands.push(command),
        (drop) => this.drops.push(drop),
      );
    });
  }

  /** Time comes to an instant, and the enforcer hears of it. */
  until(at: Instant): void {
    this.world.advance(at);
    this.world.watermark();
  }

  /** The commands so far in short: `time what kind/id more`, times as hours and minutes since `from`. */
  story(from: Instant): readonly string[] {
    return this.commands.map((command) => inShort(command, from));
  }

  /** The commands since the last call. */
  take(): readonly Command[] {
    return this.commands.splice(0);
  }
}

/** One command in short: `+1:00 pause cluster/c1 #1`. */
export function inShort(command: Command, from: Instant): string {
  const { resource, scope, gpus, attempt, alert, reason } = command;
  const minutes = (command.issuedAt - from) / 60_000;
  const time = `+${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}`;
  const what = alert ?? (scope === 'burst' ? `shrink(${gpus})` : command.command);
  const more = command.command === 'alert' ? '' : ` ${reason} #${attempt}`;
  return `${time} ${what} ${resource.kind}/${resource.id}${more}`;
}
