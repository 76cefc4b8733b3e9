/** The first instant of these tests; the log takes the events' own times. */
export const BEGIN = Date.UTC(2026, 4, 4, 10);
const MINUTE_MS = 60_000;

/** An event as one line; its time is so many minutes after the first instant. */
export function line(minutes: number, id: string, type: string, subject: string | undefined, data: object): string {
  return JSON.stringify({
    ...{ specversion: '1.0', id, source: 'ops', type },
    ...(subject === undefined ? {} : { subject }),
    ...{ time: BEGIN + minutes * MINUTE_MS, data },
  });
}

export function opened(minutes: number, account: string): string {
  return line(minutes, `open-${account}`, 'account.opened', account, {});
}

export function granted(minutes: number, account: string, grantId: string, amount: string): string {
  return line(minutes, grantId, 'credits.granted', account, { grant_id: grantId, amount, kind: 'paid' });
}

/** The book's price of a type of GPU, with that of storage beside the H100's, in force from the first instant on. */
export function priced(minutes: number, gpuType = 'H100'): string {
  return line(minutes, `prices-${gpuType}`, 'prices.published', undefined, {
    effective_from: BEGIN,
    gpu_hour: { [gpuType]: '2.5' },
    ...(gpuType === 'H100' ? { gib_month: '0.073' } : {}),
  });
}

/** A minute of 8 GPUs of one node, which ends when it comes. */
export function used(minutes: number, account: string, node: string, gpuType = 'H100'): string {
  const data = { cluster_id: 'c1', node_id: node, gpu_type: gpuType, gpus: 8 };
  const end = BEGIN + minutes * MINUTE_MS;
  return line(minutes, `${node}:${minutes}`, 'usage.gpu', account, { ...data, start: end - MINUTE_MS, end });
}
