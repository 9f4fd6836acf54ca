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
  import type { ISocketFactory, Logger, SASLOptions } from 'kafkajs';

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
  export default function connectionPoolBuilder(options: {
    readonly brokers: string[];
    readonly ssl: object | false;
    readonly sasl?: SASLOptions;
    readonly clientId: string;
    readonly connectionTimeout: number;
    readonly requestTimeout: number;
    readonly enforceRequestTimeout: boolean;
    readonly socketFactory: ISocketFactory;
    readonly logger: Logger;
  }): { build(): Promise<ConnectionPool> };
}

declare module 'kafkajs/src/broker/index.js' {
  import type { Logger } from 'kafkajs';
  import type { ConnectionPool } from 'kafkajs/src/cluster/connectionPoolBuilder.js';
  export default class Broker {
    constructor(options: { readonly connectionPool: ConnectionPool; readonly logger: Logger });
    /** Connects, asks which versions of the protocol are known, and logs in. */
    connect(): Promise<void>;
    disconnect(): Promise<void>;
    readonly versions: Readonly<Record<number, { readonly maxVersion: number } | undefined>> | null;
  }
}

declare module 'kafkajs/src/protocol/encoder.js' {
  export default class Encoder {
    writeBuffer(bytes: Buffer): this;
  }
}
