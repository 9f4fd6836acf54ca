import type { Batch } from 'kafkajs';
import Broker from 'kafkajs/src/broker/index.js';
import { topicIdsOf } from './kafka-topic-ids.js';

/** By the messages of one partition in one answer, as kafkajs passes them on. */
const ids = new WeakMap<object, string>();
let isAsking = false;

/**
 * kafkajs 2.2.4 fetches by a topic's name, and a topic that was deleted and made again answers to it as if nothing had happened. So
 * whatever is fetched is followed by the question for the topic's id, to the same broker, which learns of a new topic before it serves
 * it. The id that was known before the fetch and is still there after it is that of the topic which was read.
 */
export function askForFetchedIds(): void {
  if (isAsking) return;
  isAsking = true;
  const { prototype } = Broker;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its own `this` below
  const fetch = prototype.fetch;
  prototype.fetch = async function fetchAndAsk(request) {
    const answer = await fetch.call(this, request);
    const filled = answer.responses.flatMap(({ topicName: topic, partitions }) =>
      partitions.filter(({ messages }) => messages.length > 0).map(({ messages }) => ({ topic, messages })),
    );
    if (filled.length === 0) return answer;
    const known = await topicIdsOf(this, [...new Set(filled.map(({ topic }) => topic))]);
    for (const { topic, messages } of filled) {
      const id = known.get(topic);
      if (id !== undefined) ids.set(messages, id);
    }
    return answer;
  };
}

/** Null where the topic is gone, and on brokers that have no ids. */
export function fetchedTopicId(batch: Batch): string | null {
  const messages: unknown = Reflect.get(batch, 'rawMessages');
  return typeof messages === 'object' && messages !== null ? (ids.get(messages) ?? null) : null;
}
