import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import type { Catalog } from '../../core/catalog.js';
import { HeadgateError } from '../../core/errors.js';
import { countArgument } from '../arguments.js';
import type { Client } from '../client.js';
import { contextOf, withClient, type CommandContext } from '../command.js';
import { withExamples } from '../help.js';
import { describeCatalog, describeChanges, versionTable } from './catalog-text.js';
import { CatalogVersion, Change } from './catalog-answers.js';

// The schema of catalogs is loaded where it is used: no other command needs it.

export function addCatalogCommand(program: Command): void {
  const catalog = program
    .command('catalog')
    .description('what the company sells, as a file: check it, compare it, publish it');
  withExamples(
    catalog,
    'headgate catalog check fixtures/catalogs/fleetprompt.yaml',
    'headgate catalog diff my-catalog.yaml',
    'headgate catalog publish my-catalog.yaml',
  );
  const check = catalog
    .command('check')
    .argument('<file...>', 'catalog files')
    .description('read files and say what is wrong, with line and column; needs no data directory')
    .action(checkFiles);
  withExamples(check, 'headgate catalog check my-catalog.yaml');
  const show = catalog
    .command('show')
    .description('the published catalog')
    .option('--number <version>', 'this version instead of the newest', countArgument)
    .option('--source', 'the file as it was published')
    .option('--versions', 'the list of versions')
    .action(showCatalog);
  withExamples(show, 'headgate catalog show', 'headgate catalog show --number 1 --source > catalog-1.yaml');
  const diff = catalog
    .command('diff')
    .argument('<file>', 'a catalog file')
    .argument('[newer]', 'a second file, to compare the two without a data directory')
    .description('what a file would change, and for whom')
    .action(diffFiles);
  withExamples(diff, 'headgate catalog diff my-catalog.yaml', 'headgate catalog diff old.yaml new.yaml');
  const publish = catalog
    .command('publish')
    .argument('<file>', 'a catalog file')
    .description('make a file the next version; versions never change')
    .action(publishFile);
  withExamples(publish, 'headgate catalog publish my-catalog.yaml');
}

/** What a check found in one file. */
type Checked = { readonly file: string } & (
  | { readonly valid: true; readonly catalog: Catalog }
  | { readonly valid: false; readonly error: HeadgateError }
);

/** Every file is looked at, also after a bad one. */
async function checkFiles(files: readonly string[], _options: unknown, command: Command): Promise<void> {
  const { output } = contextOf(command);
  const checked: Checked[] = [];
  for (const file of files) checked.push(await checkFile(file));
  const bad = checked.flatMap((each) => (each.valid ? [] : [each.error]));
  const [first] = bad;
  // One file, one answer: the error itself.
  if (first !== undefined && files.length === 1) throw first;
  output.answer(
    {
      files: checked.map((each) =>
        each.valid
          ? { file: each.file, catalog: each.catalog.catalog, valid: true }
          : { file: each.file, valid: false, error: { code: each.error.code, detail: each.error.message } },
      ),
    },
    () =>
      checked
        .map((each) => `${each.file}: ${each.valid ? describeCatalog(each.catalog) : 'has problems'}`)
        .join('\n'),
  );
  for (const { message } of bad) process.stderr.write(`error: ${message}\n`);
  if (bad.length > 0) process.exitCode = 1;
}

async function checkFile(file: string): Promise<Checked> {
  const { loadCatalogFile } = await import('../../platform/catalog-file.js');
  try {
    return { file, valid: true, catalog: (await loadCatalogFile(file)).catalog };
  } catch (error) {
    if (!(error instanceof HeadgateError)) throw error;
    return { file, valid: false, error };
  }
}

const ShowAnswer = z.looseObject({ version: CatalogVersion, source: z.string(), document: z.unknown() });
const VersionsAnswer = z.looseObject({ versions: z.array(CatalogVersion) });

interface ShowOptions {
  readonly number?: number;
  readonly source?: true;
  readonly versions?: true;
}

async function showCatalog({ number, source, versions }: ShowOptions, command: Command): Promise<void> {
  await withClient(command, async (client, { output }) => {
    if (versions === true) {
      const answer = await client.call({ path: '/v1/catalog/versions' }, VersionsAnswer);
      output.answer(answer, () => versionTable(answer.versions));
      return;
    }
    const answer = await client.call({ path: '/v1/catalog', query: { version: number } }, ShowAnswer);
    if (source === true && !output.isJson) output.bytes(Buffer.from(answer.source));
    else output.answer(answer, () => `${versionTable([answer.version])}\n\n${answer.source.trimEnd()}`);
  });
}

const PostAnswer = z.looseObject({
  outcome: z.string(),
  version: CatalogVersion.nullable(),
  changes: z.array(Change),
});

async function diffFiles(
  file: string,
  newer: string | undefined,
  _options: unknown,
  command: Command,
): Promise<void> {
  if (newer !== undefined) {
    const [{ loadCatalogFile }, { diffCatalogs }] = await Promise.all([
      import('../../platform/catalog-file.js'),
      import('../../core/catalog-diff.js'),
    ]);
    const [before, after] = [await loadCatalogFile(file), await loadCatalogFile(newer)];
    const changes = diffCatalogs(before.catalog, after.catalog);
    contextOf(command).output.answer({ changes }, () => describeChanges(changes, `from ${file} to ${newer}`));
    return;
  }
  const request = await requestFor(file, 'check');
  await withClient(command, async (client, { output }) => {
    const answer = await client.call(request, PostAnswer);
    const against =
      answer.version === null
        ? 'nothing is published yet: all of it would be new'
        : `against version ${answer.version.version}`;
    output.answer(answer, () => describeChanges(answer.changes, against));
  });
}

async function publishFile(file: string, _options: unknown, command: Command): Promise<void> {
  const request = await requestFor(file, 'publish');
  const publish = async (client: Client, { output }: CommandContext): Promise<void> => {
    const answer = await client.call(request, PostAnswer);
    const { version } = answer;
    output.answer(answer, () =>
      answer.outcome === 'unchanged'
        ? `version ${version?.version ?? ''} says the same already; nothing was published`
        : [
            `published as version ${version?.version ?? ''} of ${version?.catalog ?? ''}, in force from ${version?.effective_from ?? 'the start'}`,
            ...(answer.changes.length === 0 ? [] : ['', describeChanges(answer.changes, 'changes')]),
            '',
            'The next transform measures by it: headgate transform',
          ].join('\n'),
    );
  };
  await withClient(command, publish, { creates: true });
}

/** Checked here first, so that a file with problems needs no data directory to be told so. */
async function requestFor(path: string, action: 'check' | 'publish') {
  const { loadCatalogFile } = await import('../../platform/catalog-file.js');
  await loadCatalogFile(path);
  const source = await readFile(path, 'utf8');
  return { method: 'POST', path: '/v1/catalog', json: { action, source, file: basename(path) } } as const;
}
