// A thread that unpacks zstd, for one file. Plain JavaScript, because Node starts threads without the loader that runs our sources
// in development. A thread of its own, because the decoder frees nothing of a frame that turns out to be damaged: the memory goes
// with the thread.
import { parentPort } from 'node:worker_threads';
import { ZSTDDecoder } from 'zstddec/stream';

/** A call without output may still have read something; so many in a row have not. */
const CALLS_WITHOUT_PROGRESS = 8;

const decoder = new ZSTDDecoder();
await decoder.init();

/**
 * One frame. The decoder asks for its input when it has used up what it had, and says nothing of errors: then it never asks again.
 */
class Frame {
  constructor() {
    this.waiting = null;
    this.output = decoder.decodeStreaming(this.blocks());
  }

  *blocks() {
    while (this.waiting !== null) {
      const block = this.waiting;
      this.waiting = null;
      yield block;
    }
  }

  /** @returns what the block, and what was left of those before it, unpacks to */
  decode(block) {
    this.waiting = block;
    return this.run(() => this.waiting === null);
  }

  /** Throws when the frame is not complete. */
  end() {
    return this.run(() => false);
  }

  run(isDone) {
    const unpacked = [];
    for (let fruitless = 0; fruitless < CALLS_WITHOUT_PROGRESS; fruitless += 1) {
      const { done, value } = this.output.next();
      if (done) return unpacked;
      if (value.length > 0) {
        unpacked.push(value);
        fruitless = 0;
      }
      if (isDone()) return unpacked;
    }
    throw new Error('a block cannot be read, or the checksum does not hold');
  }
}

let frame = null;

/** Whole blocks, the first of a frame with the frame's header and the last with its checksum. What unpacked before a fault is whole. */
parentPort.on('message', ({ blocks, isLast }) => {
  const unpacked = [];
  try {
    frame ??= new Frame();
    for (const block of blocks) unpacked.push(...frame.decode(block));
    if (isLast) {
      unpacked.push(...frame.end());
      frame = null;
    }
    parentPort.postMessage({ unpacked, fault: null });
  } catch (error) {
    parentPort.postMessage({ unpacked, fault: error instanceof Error ? error.message : String(error) });
  }
});
