import { Agent } from 'node:https';
import { SchemaRegistry as Client, COMPATIBILITY, SchemaType } from '@kafkajs/confluent-schema-registry';
import avro from 'avsc';
import { AVRO_OPTIONS } from './avro-type.ts';
import { RegistryError, type RegistryErrorCode, type SchemaRegistry } from './port.ts';

export interface RegistryOptions {
  /** Of the API that Confluent's clients speak, e.g. `http://127.0.0.1:8081`; Apicurio's ends in `/apis/ccompat/v7`. */
  readonly url: string;
  /** Sent as HTTP basic authentication. */
  readonly auth?: { readonly username: string; readonly password: string };
  /** The authorities that are trusted, PEM text, for a URL of https; without it those of Node. */
  readonly ca?: string;
  /** How long one request may take in all (default 5 s). */
  readonly timeoutMs?: number;
  /** How often one is tried before it counts as failed (default 3). */
  readonly attemptsMax?: number;
  /** The pause before the second try; doubled each time (default 200 ms). */
  readonly pauseMs?: number;
}

const NOT_FOUND = 404;
const LOGIN_REFUSED: ReadonlySet<number | undefined> = new Set([401, 403]);
/** The client gives a fault of the connection as an answer with status 400, of which only Node's words are left. */
const BAD_REQUEST = 400;
const TLS_REFUSED = /certificate|SSL routines/;
/** Confluent's answers to a schema that breaks the level, and to one that it cannot read. */
const REFUSALS: ReadonlySet<number | undefined> = new Set([409, 422]);

/** A registry that speaks Confluent's API. */
export function confluentRegistry(options: RegistryOptions): SchemaRegistry {
  const { url, timeoutMs = 5000, attemptsMax = 3, pauseMs = 200 } = options;
  const client = new Client(
    {
      host: url,
      clientId: 'tollgate',
      ...(options.auth === undefined ? {} : { auth: options.auth }),
      ...(options.ca === undefined ? {} : { agent: new Agent({ ca: options.ca }) }),
      // Its own retries are for GET only, and repeat what will not change; ours are below.
      retry: { retries: 0 },
      middlewares: [
        () => ({
          // `timeout` would be of silence only: an answer that drips would never end.
          prepareRequest: async (next) => (await next()).enhance({ signal: AbortSignal.timeout(timeoutMs) }),
        }),
      ],
    },
    { [SchemaType.AVRO]: AVRO_OPTIONS },
  );

  async function tried<Answer>(what: string, request: () => Promise<Answer>): Promise<Answer | undefined> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await request();
      } catch (fault) {
        const failure = failureOf(fault);
        if (failure === 'absent') return undefined;
        if (failure !== undefined)
          throw new RegistryError(failure, `${what} at ${url}${wordsOf(fault)}`, { cause: fault });
        if (attempt >= attemptsMax) {
          throw new RegistryError('RegistryUnreachable', `${what} at ${url}, ${attempt} times${wordsOf(fault)}`, {
            cause: fault,
          });
        }
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs * 2 ** (attempt - 1)));
    }
  }

  return {
    idOf: (subject, schema) =>
      tried(`asking for the id of a schema of ${subject}`, () =>
        client.getRegistryIdBySchema(subject, confluent(schema)),
      ),

    typeOf: (id) =>
      tried(`asking for schema ${id}`, async () => {
        const schema: unknown = await client.getSchema(id);
        return schema instanceof avro.Type ? schema : undefined;
      }),

    register: async (subject, schema, compatibility) => {
      const what = `registering a schema of ${subject}`;
      const registered = await tried(what, () =>
        client.register(confluent(schema), { subject, compatibility: COMPATIBILITY[compatibility] }),
      );
      if (registered === undefined) throw new RegistryError('RegistryUnreachable', `${what} at ${url}: 404`);
      return registered.id;
    },
  };
}

function confluent(schema: string): { readonly type: SchemaType.AVRO; readonly schema: string } {
  return { type: SchemaType.AVRO, schema };
}

/** `absent`: there is no such thing. Undefined: the registry did not answer, and may do so another time. */
function failureOf(fault: unknown): 'absent' | Exclude<RegistryErrorCode, 'RegistryUnreachable'> | undefined {
  if (!(fault instanceof Error)) return undefined;
  if ('status' in fault) {
    if (fault.status === NOT_FOUND) return 'absent';
    if (fault.status === BAD_REQUEST && TLS_REFUSED.test(fault.message)) return 'RegistryNotTrusted';
    if (typeof fault.status !== 'number') return undefined;
    if (LOGIN_REFUSED.has(fault.status)) return 'RegistryNotAllowed';
    return REFUSALS.has(fault.status) ? 'SchemaIncompatible' : undefined;
  }
  // Without a status it is the client's own: a 404 of a look-up by content, or a schema that is none that avsc can read.
  return fault.name === 'ConfluentSchemaRegistryCompatibilityError' ? 'LevelDiffers' : 'absent';
}

function wordsOf(fault: unknown): string {
  return fault instanceof Error ? `: ${fault.message}` : '';
}
