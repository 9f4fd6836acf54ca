import { writeSync } from 'node:fs';

/**
 * Whether tests that need a service can run here. When they can't, one line says why; with REQUIRE_SERVICES=1 (as .ci/run sets
 * it) that is a failure.
 *
 * @param reason why the service is not there; null when it is
 */
export function isAvailable(service: string, reason: string | null): boolean {
  if (reason === null) return true;
  const line = `${service} could not be started, so what needs it was not run: ${reason}`;
  if (process.env['REQUIRE_SERVICES'] === '1') throw new Error(line);
  // vitest would fold a console.log of a file without tests away.
  writeSync(2, `${line}\n`);
  return false;
}
