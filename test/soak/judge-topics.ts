import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Access } from '../../cli/access/port.ts';
import { textsOf } from '../../cli/access/records.ts';
import { CONTROL_TOPICS } from '../../services/shared/contracts/command-line.ts';
import type { RejectionReason } from '../../services/shared/contracts/event.ts';
import { rejectionJson } from '../../services/shared/contracts/rejection-json.ts';
import { TOPICS, type Topic } from '../../services/shared/topics.ts';
import { placesIn } from './places.ts';

export interface TopicsToJudge {
  readonly access: Pick<Access, 'log' | 'wire' | 'partitions'>;
  /** Where the exports are. */
  readonly out: string;
  /** Of events that the door refused, by id: the reason. */
  readonly refused: ReadonlyMap<string, string>;
  readonly fault: (text: string) => void;
  readonly count: (name: string, by: number) => void;
  readonly tell: (line: string) => void;
}

/**
 * Looks at what the topics tell others, against the export: each thing once, or again with the same content, in order,
 * without gap, nothing missing and nothing more.
 */
export async function judgeTopics(judged: TopicsToJudge): Promise<void> {
  const { access, fault, tell } = judged;
  const missing = new Map(judged.refused);
  for (let partition = 0; partition < access.partitions; partition += 1) {
    await judgeUpdates(judged, partition);
    await judgeCommands(judged, partition);
    await judgeRejected(judged, partition, missing);
    tell(`partition ${partition}: its topics were compared with the export`);
  }
  for (const [id, reason] of missing) fault(`${id} was refused as ${reason} and is not in ${TOPICS.rejected}`);
}

/** Of a record in what is told. */
const TEXT_MAX = 2_000;

interface UpdatePart {
  readonly kind: 'account' | 'resource' | 'watermark';
  readonly account_id: string;
  readonly sequence: number;
  readonly resources: number;
}

/** B1: the sequence of an account has no gap, an update is not torn, and one that comes again says the same, to the letter. */
async function judgeUpdates({ access, fault, count }: TopicsToJudge, partition: number): Promise<void> {
  const said = new Map<string, string[]>();
  let open: { readonly account: string; readonly sequence: number; left: number; text: string } | undefined;
  const where = `${TOPICS.updates} ${partition}`;
  for await (const text of textsIn(access, TOPICS.updates, partition)) {
    const { kind, account_id: account, sequence, resources }: UpdatePart = JSON.parse(text);
    if (kind !== 'resource' && open !== undefined) fault(`${where}: ${open.account} ${open.sequence} is torn`);
    if (kind === 'watermark') {
      count('watermarks', 1);
      continue;
    }
    if (kind === 'account') {
      open = { account, sequence, left: resources, text };
    } else if (open?.account === account && open.sequence === sequence) {
      open.left -= 1;
      open.text += `\n${text}`;
    } else {
      fault(`${where}: a resource of ${account} ${sequence} without its update`);
    }
    if (open === undefined || open.left > 0) continue;
    const content = createHash('sha1').update(open.text).digest('base64').slice(0, 12);
    const of = said.get(account) ?? [];
    said.set(account, of);
    const before = of[sequence - 1];
    if (before === undefined) {
      if (sequence !== of.length + 1) fault(`${where}: ${account} goes from ${of.length} to ${sequence}`);
      of[sequence - 1] = content;
      count('balance updates', 1);
    } else {
      if (before !== content)
        fault(`${where}: ${account} ${sequence} comes again and differs: ${open.text.slice(0, TEXT_MAX)}`);
      count('balance updates that came again', 1);
    }
    open = undefined;
  }
}

/** N8, K: no id twice with another content, the sequence of an account without gap, that of a resource in order. */
async function judgeCommands({ access, out, fault, count }: TopicsToJudge, partition: number): Promise<void> {
  const lines = new Map<string, string>();
  const sequences = new Map<string, Set<number>>();
  const last = new Map<string, number>();
  for (const topic of CONTROL_TOPICS) {
    for await (const line of textsIn(access, topic, partition)) {
      const command: { command_id: string; account_id: string; resource: object; sequence: number } = JSON.parse(line);
      const { command_id: id, account_id: account, sequence } = command;
      const before = lines.get(id);
      if (before !== undefined) {
        if (before !== line) fault(`${topic} ${partition}: ${id} comes again and differs:\n  ${before}\n  ${line}`);
        count('commands that came again', 1);
        continue;
      }
      lines.set(id, line);
      count('commands and alerts', 1);
      const key = `${topic}/${account}/${JSON.stringify(command.resource)}`;
      if (sequence <= (last.get(key) ?? 0))
        fault(`${topic} ${partition}: ${id} comes after ${last.get(key)} of ${key}`);
      last.set(key, sequence);
      const of = sequences.get(account) ?? new Set();
      sequences.set(account, of);
      if (of.has(sequence)) fault(`${topic} ${partition}: sequence ${sequence} of ${account} is of two commands`);
      of.add(sequence);
    }
  }
  for (const [account, of] of sequences) {
    const greatest = Math.max(...of);
    if (greatest !== of.size) fault(`partition ${partition}: ${greatest - of.size} commands of ${account} are missing`);
  }
  const exported = new Set<string>();
  for await (const line of linesOf(join(placesIn(out, partition).exported, 'commands.ndjson'))) exported.add(line);
  for (const line of exported) {
    const { command_id: id }: { command_id: string } = JSON.parse(line);
    if (lines.get(id) !== line) fault(`no topic has the command ${line}`);
  }
  if (lines.size !== exported.size) {
    fault(`partition ${partition}: ${lines.size} commands in the topics, ${exported.size} in the export`);
  }
}

interface RejectedText {
  readonly reason: string;
  readonly detail: string;
  readonly origin: { readonly partition?: number; readonly offset?: number };
  readonly event: { readonly encoding: string; readonly text: string };
}

/** E4: every rejection of the export, whole, and every refusal of the door. @param missing refusals, until they are found */
async function judgeRejected(
  { access, out, fault, count }: TopicsToJudge,
  partition: number,
  missing: Map<string, string>,
): Promise<void> {
  const found = new Map<number, string>();
  const where = `${TOPICS.rejected} ${partition}`;
  for await (const text of textsIn(access, TOPICS.rejected, partition)) {
    const { reason, detail, origin, event }: RejectedText = JSON.parse(text);
    const { offset } = origin;
    if (offset === undefined) {
      count('refusals kept', 1);
      const id = event.encoding === 'json' ? idOf(event.text) : undefined;
      if (id !== undefined && missing.get(id) === reason) missing.delete(id);
      continue;
    }
    if (origin.partition !== partition) fault(`${where}: a rejection of partition ${origin.partition}`);
    const line = rejectionJson(offset + 1, { reason: reason as RejectionReason, detail }, event.text);
    const before = found.get(offset);
    if (before === undefined) found.set(offset, line);
    else if (before !== line) fault(`${where}: offset ${offset} comes again and differs: ${line}`);
    else count('rejections that came again', 1);
  }
  count('rejections', found.size);
  let exported = 0;
  for await (const line of linesOf(join(placesIn(out, partition).exported, 'rejected.ndjson'))) {
    exported += 1;
    const offset = (JSON.parse(line) as { line: number }).line - 1;
    if (found.get(offset) !== line) fault(`${where}: not there, or otherwise: ${line}`);
  }
  if (exported !== found.size) fault(`${where}: ${found.size} rejections, ${exported} in the export`);
}

function idOf(text: string): string | undefined {
  const { id }: { id?: string } = JSON.parse(text);
  return id;
}

async function* textsIn(access: TopicsToJudge['access'], topic: Topic, partition: number): AsyncGenerator<string> {
  const to = await access.log.endOffset(topic, partition);
  for await (const records of textsOf(access, topic, partition, { from: 0, to })) {
    for (const { text } of records) yield text;
  }
}

function linesOf(path: string): AsyncIterable<string> {
  return createInterface({ input: createReadStream(path) });
}
