import { Type } from '@fastify/type-provider-typebox';
import { id, instant } from './common.ts';

const closed = { additionalProperties: false } as const;
const orNull = <Schema extends Parameters<typeof Type.Union>[0][number]>(schema: Schema, description: string) =>
  Type.Union([schema, Type.Null()], { description });

const by = () => Type.String({ description: 'the id of the key' });
const reason = () => Type.String({ description: 'as it was given' });

const partition = () =>
  Type.Object(
    {
      partition: Type.Integer({ minimum: 0 }),
      as_of: instant('the time up to which the log has been enforced'),
      hold: orNull(
        Type.Object({ by: by(), reason: reason(), since: instant('by the wall clock') }, closed),
        'who holds all accounts; null: nobody',
      ),
      brake: orNull(
        Type.Object({ reason: reason(), since: instant('by the wall clock') }, closed),
        'it holds itself until an operator releases all; null: it does not',
      ),
      suspended: Type.Boolean({ description: 'its input is stale, or has not been fresh for long enough since' }),
      last_release: orNull(
        Type.Object({ by: by(), reason: reason(), at: instant('by the wall clock') }, closed),
        'who released all last; null: nobody ever did',
      ),
    },
    closed,
  );

/** N11: `GET /v1/enforcement`. */
export const enforcementAnswer = Type.Object(
  {
    partitions: Type.Array(partition()),
    accounts: Type.Array(
      Type.Object(
        { account_id: id('of the account'), by: by(), reason: reason(), since: instant('by the wall clock') },
        closed,
      ),
      { description: 'the accounts that are held by themselves, by id' },
    ),
    next: orNull(Type.String(), 'for `after`, to get the next page of accounts; null at the end'),
  },
  closed,
);

/** N11: what was done, and how everything stands since: what was released may be held still, for another reason. */
export const actAnswer = Type.Object(
  {
    account_id: orNull(id('of the account'), 'null: all'),
    by: by(),
    reason: reason(),
    at: instant('when it was done, by the wall clock'),
    partitions: Type.Array(partition()),
  },
  closed,
);

const REASON_CHARS_MAX = 500;

export const actBody = Type.Object(
  {
    account_id: Type.Optional(id('this account only; all without it')),
    reason: Type.String({
      minLength: 1,
      maxLength: REASON_CHARS_MAX,
      pattern: '\\S',
      description: 'why, for who looks later',
    }),
  },
  closed,
);
