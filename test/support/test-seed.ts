/**
 * What a test draws by: HEADGATE_TEST_SEED=7 draws as another run did.
 *
 * @param usual without it; left out, each run draws anew
 */
export const testSeed = (usual: number = Date.now() % 1_000_000): number =>
  Number(process.env['HEADGATE_TEST_SEED'] ?? String(usual));
