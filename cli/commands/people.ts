import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { z } from 'zod';
import { withClient } from '../command.js';
import { withExamples } from '../help.js';

interface Options {
  readonly value?: boolean;
}

const Erased = z.object({
  erased_values: z.number(),
  erased_quarantined: z.number(),
  erased_webhooks: z.number(),
});

export function addPeopleCommand(program: Command): void {
  const people = program.command('people').description('what is kept of people');
  const erase = people
    .command('erase')
    .argument('[person]', 'the record: lead:lead_7')
    .option('--value', 'by a value read from standard input, so that it is in no shell history')
    .description('forget a person: their values in the vault and in quarantine; numbers stay')
    .action(erasePerson);
  withExamples(people, 'headgate people erase lead:lead_7');
  withExamples(
    erase,
    'headgate people erase lead:lead_7',
    "printf '%s' ana@example.com | headgate people erase --value",
  );
}

async function erasePerson(person: string | undefined, { value }: Options, command: Command): Promise<void> {
  if ((person === undefined) !== (value === true)) {
    command.error(
      'error: name either the record (lead:lead_7) or --value, with the value on standard input',
      {
        exitCode: 2,
      },
    );
  }
  const json = person === undefined ? { value: (await text(process.stdin)).trim() } : { person };
  await withClient(command, async (client, { output }) => {
    const erased = await client.call({ method: 'POST', path: '/v1/people/erase', json }, Erased);
    output.answer(erased, () =>
      erased.erased_values + erased.erased_quarantined + erased.erased_webhooks === 0
        ? 'nothing is kept of them'
        : `forgotten: ${erased.erased_values} values, and ${erased.erased_quarantined} events in quarantine and ${erased.erased_webhooks} webhooks that held one`,
    );
  });
}
