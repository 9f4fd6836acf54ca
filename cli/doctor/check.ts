/** `well`; `attention`: works, but something should be done; `broken`: does not work. */
export type CheckState = 'well' | 'attention' | 'broken';

/** What doctor says of one part. */
export interface Check {
  readonly part: string;
  readonly state: CheckState;
  /** What it is set to be. */
  readonly configured: string;
  readonly version: string | null;
  readonly says: string;
  /** What to do about it; null where nothing needs doing. */
  readonly advice: string | null;
}

export function check(
  part: string,
  {
    state = 'well',
    configured,
    version = null,
    says,
    advice = null,
  }: Partial<Check> & Pick<Check, 'configured' | 'says'>,
): Check {
  return { part, state, configured, version, says, advice };
}
