/** A request to the door, as bytes. */
export interface DoorInput {
  readonly method: 'POST' | 'GET' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly payload: Buffer;
}

/** The media types of events. */
export const MEDIA = [
  'application/cloudevents+json',
  'application/json',
  'application/cloudevents-batch+json',
  'application/x-ndjson',
] as const;
