/** Asks for the next item while the caller works on this one. One ahead, no more: items are large. */
export async function* prefetched<Item>(items: AsyncIterable<Item>): AsyncGenerator<Item> {
  const iterator = items[Symbol.asyncIterator]();
  try {
    let upcoming = iterator.next();
    for (;;) {
      const result = await upcoming;
      if (result.done === true) return;
      upcoming = iterator.next();
      // Looked at when its turn comes; until then a failure of the next item must not end the process.
      upcoming.catch(() => undefined);
      yield result.value;
    }
  } finally {
    await iterator.return?.();
  }
}
