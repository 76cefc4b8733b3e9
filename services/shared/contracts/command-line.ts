import type { Command } from './command.ts';
export function commandLine(command: Command): string {
  return JSON.stringify(command);
}
