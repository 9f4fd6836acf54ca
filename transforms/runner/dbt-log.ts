import { z } from 'zod';

export interface DbtFailure {
  /** `model.headgate.mrr_months`, `test.headgate.tie_outs_hold…` */
  readonly node: string;
  readonly message: string;
}

const LogLine = z.looseObject({
  info: z.looseObject({ name: z.string(), level: z.string(), msg: z.string() }),
  data: z
    .looseObject({
      node_info: z.looseObject({ unique_id: z.string().optional() }).optional(),
      execution_time: z.number().optional(),
    })
    .optional(),
});

/** What dbt says while it runs, collected: dbt's own result files cost it a second to write. */
export class DbtLog {
  readonly failures: DbtFailure[] = [];
  readonly timings: { readonly node: string; readonly ms: number }[] = [];
  /** From dbt's first node to its last; 0 when it did not come so far. */
  elapsedMs = 0;
  /** What dbt said besides: all there is when it could not even start. */
  readonly errors: string[] = [];

  constructor(private readonly onNode: (node: string, done: number) => void) {}

  line(line: string): void {
    const parsed = parseLine(line);
    if (parsed === null) {
      if (line.trim() !== '') this.errors.push(line);
      return;
    }
    const { info, data } = parsed;
    const node = data?.node_info?.unique_id;
    if (node !== undefined && /^Log\w*Result$/.test(info.name)) {
      this.timings.push({ node, ms: Math.round((data?.execution_time ?? 0) * 1000) });
      this.onNode(node, this.timings.length);
    } else if (node !== undefined && info.name === 'RunResultError') {
      this.failures.push({ node, message: info.msg.trim() });
    } else if (info.name === 'FinishedRunningStats') {
      this.elapsedMs = Math.round((data?.execution_time ?? 0) * 1000);
    } else if (info.level === 'error') {
      this.errors.push(info.msg);
    }
  }

  /** Every node that failed, or else whatever was said. */
  failuresOrErrors(): readonly DbtFailure[] {
    if (this.failures.length > 0) return this.failures;
    return [{ node: 'dbt', message: this.errors.join('\n').trim() }];
  }
}

function parseLine(line: string): z.infer<typeof LogLine> | null {
  if (!line.startsWith('{')) return null;
  try {
    const parsed = LogLine.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : null;
  } catch {
    // A line of somebody else's (a warning of Python's) that only looks like one of dbt's.
    return null;
  }
}
