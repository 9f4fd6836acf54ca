/*
 * Of kafkajs 2.2.4 (pinned to that version): modules that are not its API, and what is used of them here. A test on a real broker uses each.
 */

declare module 'kafkajs/src/network/requestQueue/index.js' {
  export default class RequestQueue {
    readonly pending: readonly unknown[];
    scheduleCheckPendingRequests(): void;
  }
}

declare module 'kafkajs/src/network/socketFactory.js' {
  import type { ISocketFactory } from 'kafkajs';
  export default function createSocketFactory(): ISocketFactory;
}

declare module 'kafkajs/src/loggers/index.js' {
  import type { Logger, logCreator, logLevel } from 'kafkajs';
  export function createLogger(options: { level: logLevel; logCreator: logCreator }): Logger;
}

declare module 'kafkajs/src/cluster/connectionPoolBuilder.js' {
  /** One request of the protocol: how to write it, and how to read the answer. */
  export interface ProtocolRequest<Answer> {
    readonly request: {
      readonly apiKey: number;
      readonly apiVersion: number;
      readonly apiName: string;
      encode(): Promise<unknown>;
    };
    readonly response: {
      decode(payload: Buffer): Promise<Answer>;
      parse(answer: Answer): Promise<Answer>;
    };
  }
  export interface ConnectionPool {
    send<Answer>(request: ProtocolRequest<Answer>): Promise<Answer>;
  }
}

declare module 'kafkajs/src/cluster/index.js' {
  import type { ISocketFactory, Logger, RetryOptions, SASLOptions } from 'kafkajs';
  import type Broker from 'kafkajs/src/broker/index.js';

  interface TopicOffsets {
    readonly topic: string;
    readonly partitions: readonly { readonly partition: number; readonly offset: string }[];
  }
  export default class Cluster {
    constructor(options: {
      readonly brokers: string[];
      readonly ssl: object | false;
      readonly sasl?: SASLOptions;
      readonly clientId: string;
      readonly connectionTimeout: number;
      readonly requestTimeout: number;
      readonly enforceRequestTimeout: boolean;
      readonly metadataMaxAge: number;
      readonly isolationLevel: 0 | 1;
      readonly allowAutoTopicCreation: boolean;
      readonly retry: RetryOptions;
      readonly socketFactory: ISocketFactory;
      readonly logger: Logger;
    });
    readonly brokerPool: { findConnectedBroker(): Promise<Broker> };
    connect(): Promise<void>;
    disconnect(): Promise<void>;
    /** From here on it knows their partitions and leaders. */
    addMultipleTargetTopics(topics: string[]): Promise<void>;
    findTopicPartitionMetadata(topic: string): readonly { readonly partitionId: number }[];
    fetchTopicsOffset(
      topics: readonly {
        readonly topic: string;
        readonly fromBeginning: boolean;
        readonly partitions: readonly { readonly partition: number }[];
      }[],
    ): Promise<TopicOffsets[]>;
  }
}

declare module 'kafkajs/src/broker/index.js' {
  import type { ConnectionPool } from 'kafkajs/src/cluster/connectionPoolBuilder.js';

  interface FetchAnswer {
    readonly responses: readonly {
      readonly topicName: string;
      readonly partitions: readonly { readonly messages: readonly object[] }[];
    }[];
  }
  export default class Broker {
    fetch(request: object): Promise<FetchAnswer>;
    readonly connectionPool: ConnectionPool;
    /** By the number of a request; null until it has connected. */
    readonly versions: Readonly<Record<number, { readonly maxVersion: number } | undefined>> | null;
  }
}

declare module 'kafkajs/src/protocol/encoder.js' {
  export default class Encoder {
    writeBuffer(bytes: Buffer): this;
  }
}
