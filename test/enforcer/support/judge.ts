import { Enforcement } from '../../../services/enforcer/core/enforcement.ts';
import { RULES, type Rules } from '../../../services/enforcer/core/rules.ts';
import type { Command } from '../../../services/shared/contracts/command.ts';
import { DAY_MS } from '../../../services/shared/time.ts';
import { Laws } from './laws.ts';
import { play, type TimedStep } from './steps.ts';
import { type Input, World } from './world.ts';

/** Long enough that all that can come to a resource has come. */
const AFTERWARDS_MS = 20 * DAY_MS;

/** The inputs that a history makes, and a quiet time after it. */
export function inputsOf(history: readonly TimedStep[]): readonly Input[] {
  const inputs: Input[] = [];
  const world = new World((input) => inputs.push(input));
  for (const step of history) play(world, step);
  world.advance(world.clock + AFTERWARDS_MS);
  world.watermark();
  return inputs;
}

/** What an enforcement by these rules makes of a history, as the laws see it: what is broken, none if all is well. */
export function brokenBy(history: readonly TimedStep[], rules: Rules = RULES): readonly string[] {
  return brokenByInputs(inputsOf(history), rules);
}

export function brokenByInputs(inputs: readonly Input[], rules: Rules = RULES): readonly string[] {
  const enforcement = new Enforcement(0, { rules });
  const laws = new Laws();
  for (const input of inputs) {
    const commands: Command[] = [];
    enforcement.apply(input, (command) => commands.push(command));
    laws.step(input, commands);
  }
  return laws.broken;
}
