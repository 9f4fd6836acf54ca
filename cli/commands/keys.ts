import { Option, type Command } from 'commander';
import { z } from 'zod';
import { ROLE_SCOPES, ROLES } from '../../platform/key-scopes.js';
import { scopeArgument } from '../arguments.js';
import type { Client } from '../client.js';
import { contextOf, withClient, type CommandContext } from '../command.js';
import { withExamples } from '../help.js';
import { table } from '../output.js';

const Key = z.object({
  key_id: z.string(),
  name: z.string(),
  role: z.string().nullable(),
  scopes: z.array(z.string()),
  created_at: z.string(),
  last_used_at: z.string().nullable(),
  revoked_at: z.string().nullable(),
});

export function addKeysCommand(program: Command): void {
  const keys = program.command('keys').description('make, list and revoke the keys of the API');
  withExamples(keys, 'headgate keys create "sales tool" --role sales', 'headgate keys list');
  const create = keys
    .command('create')
    .argument('<name>', 'whom or what the key is for')
    .addOption(
      new Option('--role <role>', 'a bundle of scopes; headgate keys roles lists them').choices([...ROLES]),
    )
    .option('--scope <scope...>', 'single scopes', scopeArgument)
    .description('make a key; it is shown once')
    .action(createKey);
  withExamples(
    create,
    'headgate keys create "sales tool" --role sales',
    'headgate keys create "our product" --scope ingest',
  );
  const list = keys.command('list').description('all keys, without their secrets').action(listKeys);
  withExamples(list, 'headgate keys list');
  const revoke = keys
    .command('revoke')
    .argument('<key>', 'its id, as listed')
    .description('refuse a key from now on')
    .action(revokeKey);
  withExamples(revoke, 'headgate keys revoke key_0a1b2c');
  const roles = keys.command('roles').description('the roles and the scopes they bundle').action(showRoles);
  withExamples(roles, 'headgate keys roles');
}

async function createKey(
  name: string,
  options: { role?: string; scope?: string[] },
  command: Command,
): Promise<void> {
  const create = async (client: Client, { output }: CommandContext): Promise<void> => {
    const answer = await client.call(
      { method: 'POST', path: '/v1/keys', json: { name, role: options.role, scopes: options.scope } },
      z.object({ key: Key, secret: z.string() }),
    );
    output.answer(
      answer,
      () => `${answer.secret}\n\nKeep it: it is shown this once. Scopes: ${answer.key.scopes.join(', ')}`,
    );
  };
  await withClient(command, create, { creates: true });
}

async function listKeys(_options: unknown, command: Command): Promise<void> {
  await withClient(command, async (client, { output }) => {
    const answer = await client.call({ path: '/v1/keys' }, z.object({ keys: z.array(Key) }));
    const body = table(
      ['key', 'name', 'scopes', 'last used', 'state'],
      answer.keys.map((key) => [
        key.key_id,
        key.name,
        key.scopes.join(', '),
        key.last_used_at ?? 'never',
        key.revoked_at === null ? 'active' : `revoked ${key.revoked_at}`,
      ]),
    );
    output.answer(answer, () =>
      answer.keys.length === 0 ? 'no keys yet: headgate keys create <name> --role founder' : body,
    );
  });
}

async function revokeKey(keyId: string, _options: unknown, command: Command): Promise<void> {
  await withClient(command, async (client, { output }) => {
    const key = await client.call({ method: 'DELETE', path: `/v1/keys/${encodeURIComponent(keyId)}` }, Key);
    output.answer(key, () => `${key.key_id} (${key.name}) is revoked`);
  });
}

function showRoles(_options: unknown, command: Command): void {
  contextOf(command).output.answer(ROLE_SCOPES, () =>
    table(
      ['role', 'scopes'],
      Object.entries(ROLE_SCOPES).map(([role, scopes]) => [role, scopes.join(', ')]),
    ),
  );
}
