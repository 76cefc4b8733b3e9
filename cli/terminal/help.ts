import { resolve } from 'node:path';

export interface HelpOptions {
  readonly url: string;
  /** The file that holds the operator's key. */
  readonly keyPath: string;
  /** An account to ask about, and one to top up. */
  readonly accountId: string;
  /** Makes the id of the top-up its own: sent twice, it counts once (E3). */
  readonly topUpId: string;
}

const AUTHORIZATION = '-H "Authorization: Bearer $KEY"';

/** How to ask for more, as lines to be pasted into another terminal. */
export function helpLines(options: HelpOptions): readonly string[] {
  const { url, keyPath, accountId, topUpId } = options;
  const topUp = {
    ...{ specversion: '1.0', id: topUpId, source: 'me', type: 'credits.granted', subject: accountId },
    data: { grant_id: topUpId, amount: '50', kind: 'paid' },
  };
  const ask = (path: string, what: string): string => `  curl -s ${AUTHORIZATION} $URL${path.padEnd(32)} # ${what}`;
  return [
    'Ask for more, from another terminal:',
    `  export URL=${url} KEY=$(cat ${quoted(resolve(keyPath))})`,
    ask(`/v1/accounts/${accountId}`, 'how it stands, and what comes when'),
    ask(`/v1/accounts/${accountId}/usage`, 'what it used, and what that cost'),
    ask('/v1/orders', 'what stands for each resource'),
    'Pay for it:',
    `  curl -s ${AUTHORIZATION} "$URL/v1/events?wait=applied" -H 'Content-Type: application/cloudevents+json' \\`,
    `    -d '${JSON.stringify(topUp)}'`,
  ];
}

/** A path as a shell takes it. */
function quoted(path: string): string {
  return /^[A-Za-z0-9_./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
