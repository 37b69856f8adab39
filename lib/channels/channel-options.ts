import { ConfigurationError } from '../core/errors.js';
import { isObject } from '../core/json.js';
import { readSafeUrl } from '../core/safe-url.js';

/** What the options of the channels must be. What a rule says when broken is one sentence, and never a value. */

/** One option. */
export interface OptionRule {
  /** How the sentence ends that begins with `<name> must be`. */
  readonly what: string;
  readonly test: (value: unknown) => boolean;
  readonly isOptional?: true;
}

/** @throws ConfigurationError where there are problems. */
export function refuseOptions(factory: string, problems: readonly string[]): void {
  if (problems.length > 0) throw new ConfigurationError(problems, { of: factory });
}

/** What is wrong with the options of one factory, each with its remedy and without a value; the rules name every option. */
export function problemsOf(options: unknown, rules: Readonly<Record<string, OptionRule>>): readonly string[] {
  if (!isObject(options)) return ['The options must be an object'];
  const unknown = Object.keys(options)
    .filter((name) => options[name] !== undefined && !Object.hasOwn(rules, name))
    .map((name) => `${name} is not an option; remove it, or look for a misspelling`);
  const broken = Object.entries(rules)
    .filter(([name, { test, isOptional }]) => {
      const value = options[name];
      return value === undefined ? isOptional !== true : !test(value);
    })
    .map(([name, { what, isOptional }]) => {
      return `${name} must be ${what}${isOptional === true ? ', or be left out' : ''}`;
    });
  return [...unknown, ...broken];
}

/** A secret that a header can carry: visible characters only. */
export const secretRule = (what: string): OptionRule => ({
  what: `${what}, as text without spaces`,
  test: (value) => typeof value === 'string' && /^[\x21-\x7e]+$/.test(value),
});

/** An origin that is safe to send secrets to. */
export const originRule = (example: string): OptionRule => ({
  what: `an origin without a path, such as ${example}; https, or http on loopback`,
  test: (value) => {
    const url = readSafeUrl(value);
    return url !== undefined && url.search === '' && url.pathname === '/';
  },
  isOptional: true,
});
