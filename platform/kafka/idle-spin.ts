import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';

let mended = false;

/**
 * kafkajs arms a timer of 1 ms for ever on a connection that was used once, 5 % of a core for an idle client (its issue
 * 1751). A timer is needed only while a request waits. Repeatable; done once a process.
 */
export function mendIdleSpin(): void {
  if (mended) return;
  mended = true;
  const { prototype } = RequestQueue;
  const arm = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function scheduleWhilePending(this: RequestQueue) {
    if (this.pending.length > 0) arm.call(this);
  };
}
