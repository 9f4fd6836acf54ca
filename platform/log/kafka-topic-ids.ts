import type Broker from 'kafkajs/src/broker/index.js';
import type { ProtocolRequest } from 'kafkajs/src/cluster/connectionPoolBuilder.js';
import Encoder from 'kafkajs/src/protocol/encoder.js';
import type { KafkaConnection } from './kafka-client.js';
import { withCluster } from './kafka-cluster.js';

const METADATA = 3;
/** The first version with topic ids is 10 (Kafka 2.8); 12 is the last that this was written against. kafkajs itself speaks up to 6. */
const METADATA_VERSION = 12;
const NO_ID = '00000000-0000-0000-0000-000000000000';

/**
 * The id of each topic, which a topic that was deleted and made again does not share with the one before, though all else looks the
 * same. Topics that are not there have none, and none has one on brokers older than Kafka 2.8.
 */
export function fetchTopicIds(
  connection: KafkaConnection,
  topics: readonly string[],
): Promise<Map<string, string>> {
  return withCluster(connection, async ({ brokerPool }) =>
    topicIdsOf(await brokerPool.findConnectedBroker(), topics),
  );
}

/** As this broker knows them. */
export async function topicIdsOf(broker: Broker, topics: readonly string[]): Promise<Map<string, string>> {
  const known = broker.versions?.[METADATA];
  if (known === undefined || known.maxVersion < METADATA_VERSION) return new Map();
  return await broker.connectionPool.send(metadataRequest(topics));
}

function metadataRequest(topics: readonly string[]): ProtocolRequest<Map<string, string>> {
  return {
    request: {
      ...{ apiKey: METADATA, apiVersion: METADATA_VERSION, apiName: 'Metadata' },
      encode: () => Promise.resolve(new Encoder().writeBuffer(encodeRequest(topics))),
    },
    response: {
      decode: (payload) => Promise.resolve(decodeResponse(payload)),
      parse: (ids) => Promise.resolve(ids),
    },
  };
}

/** Lengths are one more than they are, and tagged fields end every structure: the protocol's "compact" forms. */
function encodeRequest(topics: readonly string[]): Buffer {
  const NO_TAGS = 0;
  const named = topics.flatMap((topic) => {
    const name = Buffer.from(topic);
    return [Buffer.alloc(16), unsignedVarint(name.length + 1), name, Buffer.of(NO_TAGS)];
  });
  const mayCreate = 0;
  const withOperations = 0;
  return Buffer.concat([
    // Of the header: kafkajs writes the rest of it.
    Buffer.of(NO_TAGS),
    unsignedVarint(topics.length + 1),
    ...named,
    Buffer.of(mayCreate, withOperations, NO_TAGS),
  ]);
}

function unsignedVarint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

function decodeResponse(payload: Buffer): Map<string, string> {
  const reader = new CompactReader(payload);
  reader.tags();
  reader.skip(4); // throttle time
  reader.list(() => {
    reader.skip(4); // node
    reader.text();
    reader.skip(4); // port
    reader.text(); // rack
    reader.tags();
  });
  reader.text(); // cluster
  reader.skip(4); // controller
  const ids = new Map<string, string>();
  reader.list(() => {
    reader.skip(2); // error
    const name = reader.text();
    const id = reader.uuid();
    if (id !== NO_ID) ids.set(name, id);
    reader.skip(1); // whether it is internal
    reader.list(() => {
      reader.skip(14); // error, partition, leader, leader's epoch
      // Replicas: all, in sync, offline.
      for (let lists = 0; lists < 3; lists += 1) reader.skipInt32s();
      reader.tags();
    });
    reader.skip(4); // operations
    reader.tags();
  });
  return ids;
}

class CompactReader {
  private at = 0;

  constructor(private readonly bytes: Buffer) {}

  skip(count: number): void {
    this.at += count;
  }

  private varint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes.readUInt8(this.at);
      this.at += 1;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  /** Null reads as ''. */
  text(): string {
    const length = Math.max(0, this.varint() - 1);
    this.at += length;
    return this.bytes.toString('utf8', this.at - length, this.at);
  }

  uuid(): string {
    this.at += 16;
    const hex = this.bytes.toString('hex', this.at - 16, this.at);
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  }

  list(readElement: () => void): void {
    for (let left = this.varint() - 1; left > 0; left -= 1) readElement();
  }

  skipInt32s(): void {
    this.skip((this.varint() - 1) * 4);
  }

  tags(): void {
    for (let left = this.varint(); left > 0; left -= 1) {
      this.varint();
      this.skip(this.varint());
    }
  }
}
