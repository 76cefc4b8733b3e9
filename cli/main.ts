import { tollgate } from './commands/tollgate.ts';

process.exitCode = await tollgate(process);
