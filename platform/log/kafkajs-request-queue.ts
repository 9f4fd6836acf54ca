import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';

let isCalm = false;

/**
 * kafkajs 2.2.4 looks for waiting requests a thousand times a second on every connection, for ever, by a timer whose negative time newer
 * Nodes warn of. Here it looks when something waits. Every connection of the process is meant, so once is enough.
 */
export function calmRequestQueue(): void {
  if (isCalm) return;
  isCalm = true;
  const { prototype } = RequestQueue;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its own `this` below
  const schedule = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function scheduleWhenNeeded() {
    if (this.pending.length > 0) schedule.call(this);
  };
}
