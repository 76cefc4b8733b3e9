import { type DestinationStream, type Logger, pino } from 'pino';

export interface LoggerOptions {
  /** One of pino's, or `silent`. */
  readonly level: string;
  /** What every line holds; null: nothing. */
  readonly base: Readonly<Record<string, string | number>> | null;
}

const SECRET_NAMES = ['authorization', 'Authorization', 'password', 'PASSWORD', 'sasl'];
/** Redis's errors carry the command that failed, and AUTH is one. */
const SECRET_PATHS = ['command.args', ...SECRET_NAMES];
const SECRET_SETTINGS = ['KAFKA', 'REGISTRY', 'REDIS', 'CLICKHOUSE'].map((server) => `TOLLGATE_${server}_PASSWORD`);
const DEPTH = ['', '*.', '*.*.', '*.*.*.'];
const REDACTED = '[secret]';
/** What an address or a header may hold in the words of a fault: `//user:password@host`, `Bearer key`. */
const CREDENTIALS = /(\/\/)[^/\s:@"]*:[^/\s@"]+@|(Bearer|Basic) [A-Za-z0-9._~+/=-]+/g;

/**
 * JSON lines for machines. Whoever logs is not to log a secret in the first place; one that comes along, in a field by its name
 * or in the words of a fault, is left out.
 */
export function jsonLogger({ level, base }: LoggerOptions, destination: DestinationStream): Logger {
  const paths = [...SECRET_PATHS, ...SECRET_SETTINGS].flatMap((path) => DEPTH.map((depth) => `${depth}${path}`));
  return pino(
    {
      ...{ level, base },
      redact: { paths, censor: REDACTED },
      hooks: { streamWrite: withoutCredentials },
    },
    destination,
  );
}

function withoutCredentials(line: string): string {
  return line.replace(CREDENTIALS, (_found, slashes: string | undefined, scheme: string | undefined) =>
    slashes === undefined ? `${scheme} ${REDACTED}` : `${slashes}${REDACTED}@`,
  );
}
