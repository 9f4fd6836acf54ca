/** Told before and after each call; may throw, and then the call is not made, or was and nobody hears of it. */
export type Step = (name: string) => void | Promise<void>;

export async function stepped<Answer>(
  name: string,
  step: Step,
  call: () => Promise<Answer>,
): Promise<Answer> {
  await step(`before ${name}`);
  const answer = await call();
  await step(`after ${name}`);
  return answer;
}

/** The same object, but the methods named say so before and after. */
export function stepping<Target extends object>(
  target: Target,
  names: readonly (keyof Target & string)[],
  step: Step,
): Target {
  return new Proxy(target, {
    get(object, name) {
      const value: unknown = Reflect.get(object, name, object);
      if (typeof value !== 'function') return value;
      const call = value as (...given: unknown[]) => Promise<unknown>;
      if (!names.includes(name as never)) return call.bind(object);
      return (...given: unknown[]) => stepped(String(name), step, () => call.apply(object, given));
    },
  });
}
