/** Makes what functions of the user get read-only: what they wrote would reach other steps of the call, or other calls. */

/**
 * Freezes a value of objects and arrays, such as JSON, with all that it holds. What is frozen already is taken to be frozen
 * deeply. Without recursion, because a body may be nested thousands of levels deep.
 */
export function deepFreeze<T>(value: T): T {
  const left: unknown[] = [value];
  while (left.length > 0) {
    const node = left.pop();
    if (typeof node !== 'object' || node === null || Object.isFrozen(node)) continue;
    Object.freeze(node);
    for (const member of Object.values(node)) if (typeof member === 'object') left.push(member);
  }
  return value;
}

/** A copy of JSON with all that it holds, which may then be frozen. Without recursion, as `deepFreeze`; a circle stays one. */
export function copyJson<T>(value: T): T {
  const root: [T] = [value];
  const copies = new Map<unknown, unknown>();
  const left: object[] = [root];
  while (left.length > 0) {
    const holder = left.pop() ?? root;
    for (const [name, member] of Object.entries(holder) as [string, unknown][]) {
      if (typeof member !== 'object' || member === null) continue;
      let copy = copies.get(member);
      if (copy === undefined) {
        copy = Array.isArray(member) ? [...(member as unknown[])] : { ...member };
        copies.set(member, copy);
        left.push(copy as object);
      }
      Reflect.defineProperty(holder, name, { value: copy });
    }
  }
  return root[0];
}

/** A date whose setters throw. `Object.freeze` does not keep a date's time from being set. */
class FixedDate extends Date {}

for (const name of Object.getOwnPropertyNames(Date.prototype)) {
  if (!name.startsWith('set')) continue;
  Object.defineProperty(FixedDate.prototype, name, {
    value: () => {
      throw new TypeError(`Cannot change a date that is read-only (${name})`);
    },
  });
}

/** @param ms - milliseconds since 1970. */
export function fixedDate(ms: number): Date {
  return Object.freeze(new FixedDate(ms));
}
