import type pg from 'pg';
import { z } from 'zod';
import { isConnectionLost } from './pg-errors.js';

/** Makes ours of a driver's error. */
export type Translate = (error: unknown) => unknown;

/**
 * The pool as drizzle may use it. Errors come out as ours; a connection that broke is not lent again; and a transaction that can't
 * begin gives its connection back, which drizzle forgets.
 */
export function guardedPool(pool: pg.Pool, translate: Translate): pg.Pool {
  // A connection may end while nobody waits for it, idle or between two statements: unheard, that would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  const guarded = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      throw translate(error);
    }
  };
  return new Proxy(pool, {
    get(target, property): unknown {
      if (property === 'query') return (...call: unknown[]) => guarded(() => ask(target, call));
      if (property === 'connect') {
        return () => guarded(async () => guardedClient(await target.connect(), translate));
      }
      return Reflect.get(target, property);
    },
  });
}

function guardedClient(client: pg.PoolClient, translate: Translate): pg.PoolClient {
  let isBroken = false;
  const guardedQuery = async (...call: unknown[]): Promise<unknown> => {
    try {
      return await ask(client, call);
    } catch (error) {
      isBroken ||= isConnectionLost(error);
      const statement = Statement.safeParse(call[0]).data ?? '';
      if (statement.startsWith('begin')) client.release(true);
      // The server rolls back by itself when a connection ends; why that was needed is the error to show.
      if (statement === 'rollback' && isBroken) return null;
      throw translate(error);
    }
  };
  return new Proxy(client, {
    get(target, property): unknown {
      if (property === 'query') return guardedQuery;
      if (property === 'release') {
        return () => {
          target.release(isBroken);
        };
      }
      return Reflect.get(target, property);
    },
  });
}

const Statement = z.union([z.string(), z.object({ text: z.string() }).transform(({ text }) => text)]);

/** `query` has a dozen signatures; all that drizzle uses take a query with its values and give a promise. */
interface Queryable {
  query(...call: readonly unknown[]): Promise<unknown>;
}

function ask(target: Queryable, call: readonly unknown[]): Promise<unknown> {
  return target.query(...call);
}
