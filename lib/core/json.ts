/** Reads JSON from outside: assumes no shape and never throws. A reader elsewhere that differs says why. */

export type JsonObject = Readonly<Record<string, unknown>>;

/** The value of a JSON text; `undefined` if the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Whether a value is an object with names: neither `null` nor an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value, or an empty object if it is not an object. */
export function asObject(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

/** The value, or an empty list if it is not an array. */
export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The own property at a path; `undefined` if any part of the path is missing or not an object. */
export function fieldOf(value: unknown, ...path: readonly string[]): unknown {
  let found = value;
  for (const name of path) {
    if (!isObject(found) || !Object.hasOwn(found, name)) return undefined;
    found = found[name];
  }
  return found;
}

/** The property at a path if it is a non-empty text. Okta sends empty texts for cleared fields. */
export function textFieldOf(value: unknown, ...path: readonly string[]): string | undefined {
  const text = fieldOf(value, ...path);
  return typeof text === 'string' && text !== '' ? text : undefined;
}
