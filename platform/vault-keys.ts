import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { RefusedError } from '../core/errors.js';
import type { Secrets } from './secrets.js';
import { writeFileDurably } from './durable-file.js';

export interface EncryptionKey {
  /** Derived from the key itself, so that the same key has one id wherever it is configured. */
  readonly keyId: string;
  readonly key: Uint8Array;
}

export interface VaultKeys {
  /** Makes tokens; the same for ever. */
  readonly tokenKey: Uint8Array;
  /** The first encrypts; all of them decrypt. */
  readonly encryptionKeys: readonly [EncryptionKey, ...EncryptionKey[]];
}

const KEY_BYTES = 32;
const Base64Key = z.base64().transform((text) => new Uint8Array(Buffer.from(text, 'base64')));
const KeysFile = z.object({ tokenKey: Base64Key, encryptionKeys: z.array(Base64Key).min(1) });

/**
 * Keys of the environment come first, then those of the directory's keys file, which is made at first use
 * (readable by its owner alone). A key of the environment that replaces an older one is added to the file too: what
 * the older one encrypted stays readable.
 */
export async function loadVaultKeys(keysFile: string, secrets: Secrets): Promise<VaultKeys> {
  const given = secrets.reveal();
  const stored = readKeysFile(keysFile);
  const tokenKey = given.tokenKey ?? stored?.tokenKey ?? newKey();
  const known = stored?.encryptionKeys ?? [];
  const encryptionKeys = given.vaultKey ? withFirst(given.vaultKey, known) : known;
  const keys = { tokenKey, encryptionKeys: encryptionKeys.length > 0 ? encryptionKeys : [newKey()] };
  if (!stored || !isSameList(known, keys.encryptionKeys)) await writeKeysFile(keysFile, keys);
  return vaultKeysOf(keys);
}

/** Puts a new encryption key in front. Values are moved to it by `Vault.reencrypt`. */
export async function rotateVaultKey(keysFile: string): Promise<VaultKeys> {
  const stored = readKeysFile(keysFile);
  if (!stored) throw corruptError(keysFile);
  const keys = { ...stored, encryptionKeys: [newKey(), ...stored.encryptionKeys] };
  await writeKeysFile(keysFile, keys);
  return vaultKeysOf(keys);
}

export function fingerprintOf(key: Uint8Array): string {
  return createHash('sha256').update('headgate key fingerprint').update(key).digest('hex').slice(0, 16);
}

interface StoredKeys {
  readonly tokenKey: Uint8Array;
  readonly encryptionKeys: readonly Uint8Array[];
}

function vaultKeysOf({ tokenKey, encryptionKeys }: StoredKeys): VaultKeys {
  const [first, ...older] = encryptionKeys.map((key) => ({ keyId: `vk_${fingerprintOf(key)}`, key }));
  if (!first) throw new RefusedError('data_directory_corrupt', 'vault: there is no encryption key');
  return { tokenKey, encryptionKeys: [first, ...older] };
}

function readKeysFile(keysFile: string): StoredKeys | null {
  if (!existsSync(keysFile)) return null;
  try {
    return KeysFile.parse(JSON.parse(readFileSync(keysFile, 'utf8')));
  } catch (error) {
    throw corruptError(keysFile, error);
  }
}

function writeKeysFile(keysFile: string, { tokenKey, encryptionKeys }: StoredKeys): Promise<void> {
  const base64 = (key: Uint8Array) => Buffer.from(key).toString('base64');
  const content = { tokenKey: base64(tokenKey), encryptionKeys: encryptionKeys.map(base64) };
  return writeFileDurably(keysFile, `${JSON.stringify(content, null, 2)}\n`, 0o600);
}

function withFirst(key: Uint8Array, others: readonly Uint8Array[]): Uint8Array[] {
  return [key, ...others.filter((other) => !isSame(other, key))];
}

function isSameList(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && a.every((key, index) => isSame(key, b[index] ?? new Uint8Array()));
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.from(a).equals(b);
}

function newKey(): Uint8Array {
  return new Uint8Array(randomBytes(KEY_BYTES));
}

/** The parser's own error would print what it read: keys. */
function corruptError(keysFile: string, cause?: unknown): RefusedError {
  const why = cause instanceof z.ZodError ? 'has not the keys it should have' : 'cannot be read as JSON';
  return new RefusedError(
    'data_directory_corrupt',
    `vault: ${keysFile} ${why}; restore it from a backup, for personal values cannot be read without it`,
  );
}
