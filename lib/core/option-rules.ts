import Joi from 'joi';
import { ConfigurationError } from './errors.js';
import { nearestWord } from './nearest-word.js';

/**
 * The one engine that checks options: joi, with the words that all rules share. A broken rule gives one sentence with its
 * remedy, and never the value. Only a URL that lacks its scheme is shown, with the scheme.
 */

/** Options after the check. */
export interface CheckedOptions<Value> {
  /** One sentence per problem. */
  readonly problems: readonly string[];
  /** The options with their defaults, in their normal form. It counts only if there are no problems. */
  readonly value: Value;
}

/**
 * Checks options, or one value, of any shape against rules. An option that is `undefined` counts as absent. `Value` is the normal
 * form that the rules make.
 */
export function checkOptions<Value>(rules: Joi.AnySchema, options: unknown): CheckedOptions<Value> {
  const { value, error } = rules.validate(withoutUndefined(options), {
    abortEarly: false,
    convert: false,
    errors: { wrap: { label: false } },
  }) as { readonly value: Value; readonly error?: Joi.ValidationError };
  // A misspelt name comes first: it explains why another option is missing.
  const isUnknown = ({ type }: Joi.ValidationErrorItem): boolean => type === 'object.unknown';
  const details = error?.details ?? [];
  const ordered = [...details.filter(isUnknown), ...details.filter((detail) => !isUnknown(detail))];
  return { value, problems: [...new Set(ordered.map((detail) => sentenceOf(detail, options)))] };
}

/** Begins the names that an object may have, behind the message about a name that it may not have. */
const NAMES = '; its names: ';

/** What to say of options that are there, but `undefined`. JavaScript gives that for a variable which is not set. */
export const IS_UNDEFINED = 'is undefined: is the variable that it comes from set?';

/** The sentence about a problem. For a misspelt option it names the one that is meant. */
function sentenceOf(detail: Joi.ValidationErrorItem, options: unknown): string {
  const [message = '', names] = detail.message.split(NAMES);
  if (names === undefined) return [message, ...hintsAt(detail, options)].join('. ');
  const meant = nearestWord(String(detail.context?.key), names.split(' '));
  return `${message}; ${meant === undefined ? 'remove it, or look for a misspelling' : `did you mean ${meant}?`}`;
}

/** Sentences about two usual slips: a variable that is not set, and a URL without its scheme. */
function hintsAt({ type, path, context }: Joi.ValidationErrorItem, options: unknown): readonly string[] {
  const root = Object(options) as object;
  if (type === 'object.missing') {
    const peers = (context as { readonly peers: readonly string[] }).peers;
    return undefinedIn(path.reduce(inner, root), peers).map((name) => `${name} ${IS_UNDEFINED}`);
  }
  const completed: unknown = context?.['completed'];
  if (typeof completed === 'string') return [`It has no scheme: write ${completed}`];
  const parent = path.slice(0, -1).reduce(inner, root);
  return undefinedIn(parent, path.slice(-1)).map(() => `It ${IS_UNDEFINED}`);
}

/** The names that an object has, with `undefined` as their value. */
export const undefinedIn = (
  value: object,
  names: readonly (string | number)[],
): readonly (string | number)[] =>
  names.filter((name) => name in value && (value as Readonly<Record<string, unknown>>)[name] === undefined);

const inner = (value: object, step: string | number): object =>
  Object((value as Readonly<Record<string, unknown>>)[step]) as object;

/**
 * The options in their normal form.
 * @param factory - the function whose options they are, for the error.
 * @throws ConfigurationError that names every problem and its remedy, and no value.
 */
export function readOptionsBy<Value>(
  rules: Joi.ObjectSchema<Value>,
  options: unknown,
  factory: string,
): Value {
  const { value, problems } = checkOptions<Value>(rules, options);
  refuseProblems(problems, factory);
  return value;
}

/** @throws ConfigurationError if there are problems. */
export function refuseProblems(problems: readonly string[], factory: string): void {
  if (problems.length > 0) throw new ConfigurationError(problems, { of: factory });
}

/**
 * Builds rules at their first use and keeps them: joi takes 40 ms for the rules of the hook, which importing the package
 * does not pay.
 */
export function lazyRules<Rules>(build: () => Rules): () => Rules {
  let rules: Rules | undefined;
  return () => (rules ??= build());
}

/** An object without the names that it leaves `undefined`: joi refuses a name that it has no rule for, whatever its value. */
export function withoutUndefined<T>(options: T): T {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) return options;
  const entries = Object.entries(options);
  const given = entries.filter(([, value]) => value !== undefined);
  return given.length === entries.length ? options : (Object.fromEntries(given) as T);
}

/** The codes of joi for which `mustBe` has a message beside its message for all. */
const CODES = ['*', 'any.required', 'object.base', 'array.base', 'array.min'];

/**
 * One sentence for whatever is wrong with a value. joi hands the messages of an object down to its fields, and prefers a
 * message for one code to a message for all codes. So the codes that objects and arrays have messages for are repeated.
 */
export function mustBe(what: string): Joi.LanguageMessages {
  // A brace would begin a variable of joi's.
  const message = `{{#label}} must be ${what.replaceAll('{', String.raw`\{`)}`;
  return Object.fromEntries(CODES.map((code) => [code, message]));
}

/** The names that an object of a type may have; of a union, those of every object in it. */
type Names<T> = T extends string | number | boolean | readonly unknown[] | undefined ? never : keyof T;

/** One rule for each name of a type, and no other: the compiler keeps the rules and the type together. */
type RulesOf<T> = Readonly<Record<Names<T>, Joi.Schema>>;

/** All options of one function. `Value` is their normal form. */
export const optionsOf = <Value>(what: string, keys: RulesOf<Value>): Joi.ObjectSchema<Value> =>
  objectOf(what, keys).required().label('The options');

/** An object of a type. */
export const objectOf = <T>(what: string, keys: RulesOf<T>): Joi.ObjectSchema<T> =>
  Joi.object<T, false, Readonly<Record<string, unknown>>>(keys).messages({
    ...mustBe(what),
    'object.unknown': `{{#label}} is not an option${NAMES}${Object.keys(keys).join(' ')}`,
  });

/** Whether an object's values stand under its names. Those of a list, a `Map` or a promise do not: it would pass as empty. */
export function isByName(given: unknown): given is Readonly<Record<string, unknown>> {
  return typeof given === 'object' && given !== null && !(Symbol.iterator in given) && !('then' in given);
}

/** An object with any names that fit. @param wrongName - what is wrong with another name. */
export const mapOf = (
  what: string,
  name: Joi.Schema | RegExp,
  value: Joi.Schema,
  wrongName?: string,
): Joi.ObjectSchema =>
  Joi.object()
    .pattern(name, value)
    .custom((given: object, helpers) => (isByName(given) ? given : helpers.error('object.base')))
    .messages({
      ...mustBe(what),
      ...(wrongName === undefined ? {} : { 'object.unknown': `{{#label}} ${wrongName}` }),
    });

/** A text that is not empty. */
export const textOf = (what: string): Joi.StringSchema => Joi.string().min(1).messages(mustBe(what));

/** One of a few values. */
export const oneOf = (what: string, ...values: readonly string[]): Joi.AnySchema =>
  Joi.valid(...values).messages(mustBe(what));

/** A value that passes a test. */
export function tested(what: string, test: (value: unknown) => boolean): Joi.AnySchema {
  return Joi.any()
    .custom((value: unknown, helpers) => (test(value) ? value : helpers.error('any.invalid')))
    .messages(mustBe(what));
}

/** A function. Its parameters and its result cannot be checked. */
export const functionRule = (what: string): Joi.AnySchema =>
  tested(what, (value) => typeof value === 'function');

/** The name of an entry that passes a test, for objects whose names are not fixed. */
export const keyThat = (isFine: (key: string) => boolean): Joi.StringSchema =>
  Joi.string().custom((key: string, helpers) => (isFine(key) ? key : helpers.error('any.invalid')));

/** Whether a value has functions of these names, its own or inherited. */
export const hasMethods = (value: unknown, names: readonly string[]): boolean =>
  ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
  names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function');

/** The option `dispatcher` of all that makes HTTP calls. */
export const dispatcherRule = (): Joi.AnySchema =>
  tested('a Dispatcher of undici 7 or later', (value) => hasMethods(value, ['dispatch']));

/** A URL that is safe to send secrets to. */
export const urlRule = (what: string, isFine: (url: URL) => boolean, orElse = ''): Joi.AnySchema => {
  const fits = (value: unknown): boolean => {
    const url = readSafeUrl(value);
    return url !== undefined && isFine(url);
  };
  return Joi.any()
    .custom((value: unknown, helpers) => {
      if (fits(value)) return value;
      const completed = withScheme(value);
      return helpers.error('any.invalid', fits(completed) ? { completed } : {});
    })
    .messages(mustBe(`${what}; https, or http on loopback${orElse}`));
};

/** A host name with a dot, or localhost, and what may follow it in a URL. A token in the wrong place does not look like it. */
const WITHOUT_SCHEME = /^(localhost|[a-z\d-]+(?:\.[a-z\d-]+)+)(?::\d{1,5})?(?:\/[\w.~/-]*)?$/;

/** A URL that lacks only its scheme, with the scheme. */
function withScheme(value: unknown): string | undefined {
  const [text, host = ''] = (typeof value === 'string' && WITHOUT_SCHEME.exec(value)) || [];
  return text === undefined ? undefined : `${LOOPBACK.test(host) ? 'http' : 'https'}://${text}`;
}

/** Whether a URL has neither a path nor a query. */
export const isOrigin = (url: URL): boolean => url.pathname === '/' && url.search === '';

/** A whole number from `min` to `max`. */
export const integer = (what: string, min: number, max: number): Joi.NumberSchema =>
  Joi.number()
    .integer()
    .min(min)
    .max(max)
    .messages(mustBe(`${what}: a whole number from ${min} to ${max}`));

/** A loopback host name as in `URL.hostname`. */
export const LOOPBACK = /^(localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * A URL that may receive secrets: https, or http on loopback, without credentials and fragment; otherwise
 * `undefined`.
 */
function readSafeUrl(text: unknown): URL | undefined {
  // `URL` accepts spaces and removes them: the parsed URL would differ from the text that is compared.
  if (typeof text !== 'string' || /\s/.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isSafe = url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname));
  return isSafe && url.username === '' && url.password === '' && url.hash === '' ? url : undefined;
}
