/** A terminal tells a whole process group, and npm passes on what it is told: one Ctrl-C may arrive twice. */
const SAME_SIGNAL_MS = 1_000;

/** Resolves on the first SIGTERM or SIGINT; a later one ends the process where it stands, which loses nothing accepted either. */
export function untilSignalled(): Promise<void> {
  return new Promise((resolve) => {
    let firstMs: number | null = null;
    const onSignal = (): void => {
      if (firstMs === null) {
        firstMs = Date.now();
        resolve();
      } else if (Date.now() - firstMs > SAME_SIGNAL_MS) {
        process.exit(1);
      }
    };
    process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  });
}
