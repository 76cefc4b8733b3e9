import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';
import { expect, it } from 'vitest';
import { mendIdleSpin } from '../../../platform/kafka/idle-spin.ts';

it('an idle connection of kafkajs arms no timer, and one whose requests wait does', () => {
  mendIdleSpin();
  mendIdleSpin();
  const queue = new RequestQueue({ logger: {}, requestTimeout: 1000 });
  queue.scheduleCheckPendingRequests();
  expect(queue.throttleCheckTimeoutId).toBeNull();
  queue.pending.push({});
  queue.scheduleCheckPendingRequests();
  expect(queue.throttleCheckTimeoutId).not.toBeNull();
  queue.pending.pop();
  queue.destroy();
});
