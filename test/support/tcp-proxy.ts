import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** Stands between a client and a service, and can lose what goes either way. */
export interface TcpProxy {
  readonly port: number;
  /** From now on what the service answers is lost; what clients send still arrives. */
  dropAnswers(): void;
  /** From now on nothing arrives, and nobody is told. */
  dropAll(): void;
  /** Everything passes again. Connections that lost something are cut, as a network would end them. */
  restore(): void;
  stop(): Promise<void>;
}

type Loss = 'nothing' | 'answers' | 'all';

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  let loss: Loss = 'nothing';
  const sockets = new Set<Socket>();
  const damaged = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
  };
  const server = createServer((client) => {
    const service = connect(targetPort, '127.0.0.1');
    keep(client);
    keep(service);
    const pass = (from: Socket, to: Socket, isLost: () => boolean): void => {
      from.on('data', (bytes) => {
        if (isLost()) damaged.add(from).add(to);
        else to.write(bytes);
      });
      from.on('close', () => to.destroy());
    };
    pass(client, service, () => loss === 'all');
    pass(service, client, () => loss !== 'nothing');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('loopback gave no port');
  return {
    port: address.port,
    dropAnswers: () => {
      loss = 'answers';
    },
    dropAll: () => {
      loss = 'all';
    },
    restore: () => {
      loss = 'nothing';
      for (const socket of damaged) socket.destroy();
      damaged.clear();
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
