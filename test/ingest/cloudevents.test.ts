import { CloudEvent, HTTP } from 'cloudevents';
import { afterEach, describe, expect, it } from 'vitest';
import { type RunningDoor, startDoor } from '../../services/ingest/server.ts';
import { bearer, configWith, DATA, depsWith, MemorySink } from './harness.ts';

/** The CloudEvents SDK, written by others, as the client. */
let door: RunningDoor | undefined;
afterEach(async () => {
  await door?.stop();
  door = undefined;
});

async function post(message: { headers: Record<string, unknown>; body: unknown }): Promise<Response> {
  const headers = Object.entries(message.headers).map(([name, value]): [string, string] => [name, String(value)]);
  return await fetch(new URL('/v1/events', door?.url), {
    method: 'POST',
    headers: [...headers, ['authorization', bearer('operator').authorization]],
    body: String(message.body),
  });
}

function sdkEvent(type: string, id: string): CloudEvent<unknown> {
  const subject = type === 'prices.published' || type === 'clock.tick' ? {} : { subject: 'acme' };
  const time = '2026-05-04T10:00:00.000Z';
  return new CloudEvent<unknown>({ id, type, source: '/agents/1', ...subject, time, data: DATA.get(type) ?? {} });
}

describe('the CloudEvents SDK as a client', () => {
  it('E: sends every type in structured mode', async () => {
    const sink = new MemorySink();
    door = await startDoor(depsWith(sink), configWith());
    for (const type of DATA.keys()) {
      const answer = await post(HTTP.structured(sdkEvent(type, `id-${type}`)));
      expect([type, answer.status]).toEqual([type, 202]);
    }
    const records = sink.texts.map((text) => JSON.parse(text) as { id: string; data: unknown });
    expect(records.map(({ id, data }) => [id, data])).toEqual([...DATA].map(([type, data]) => [`id-${type}`, data]));
  });

  it('E: sends a batch, of which the SDK reads back what the log has', async () => {
    const sink = new MemorySink();
    door = await startDoor(depsWith(sink), configWith());
    const events = [...DATA.keys()].map((type) => sdkEvent(type, `id-${type}`));
    const headers = { 'content-type': 'application/cloudevents-batch+json' };
    const answer = await post({ headers, body: JSON.stringify(events) });
    expect(await answer.json()).toMatchObject({ accepted: events.length, rejected: 0 });
    for (const [at, text] of sink.texts.entries()) {
      const read = HTTP.toEvent({ headers: { 'content-type': 'application/cloudevents+json' }, body: text });
      expect(read).toMatchObject({
        id: events[at]?.id,
        type: events[at]?.type,
        source: '/agents/1',
        data: events[at]?.data,
      });
    }
  });

  it('is told to use structured mode if it sends binary mode', async () => {
    door = await startDoor(depsWith(new MemorySink()), configWith());
    const answer = await post(HTTP.binary(sdkEvent('usage.gpu', 'x')));
    expect(answer.status).toBe(415);
    expect(await answer.json()).toMatchObject({ detail: expect.stringContaining('structured') });
  });
});
