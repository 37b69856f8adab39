/** A JSON object, as far as it is known. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether a value of JSON is an object and no array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A property of a value that may be an object. */
export function propertyOf(value: unknown, ...names: readonly string[]): unknown {
  return names.reduce<unknown>((inner, name) => (isObject(inner) ? inner[name] : undefined), value);
}

/** A property that is a string with something in it. */
export function textOf(value: unknown, ...names: readonly string[]): string | undefined {
  const text = propertyOf(value, ...names);
  return typeof text === 'string' && text !== '' ? text : undefined;
}

/** The JSON of a text; `undefined` where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
