import { ConfigurationError } from '../core/errors.js';
import { checkOptions } from '../core/option-rules.js';
import type { Environment } from './options.js';
import { VARIABLES, variablesWhere, type Variable, type VariableName } from './variables.js';

/** Reads variables one by one and collects their problems: one sentence each, with the name and without the value. */
export class VariableReader {
  readonly #environment: Environment;
  readonly #given = new Map<string, string>();
  /** Variables that are missing, or that exclude each other. */
  #complaints: string[] = [];
  /** Values that break a rule. */
  #broken = new Set<string>();

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** The value as it is. An empty variable counts as absent: Compose files and CI systems pass unset variables so. */
  valueOf(name: string): string | undefined {
    return (this.#given.get(name) ?? this.#environment[name]) || undefined;
  }

  /** Whether one of the variables is set. */
  hasAny(...names: readonly string[]): boolean {
    return names.some((name) => this.valueOf(name) !== undefined);
  }

  /** Gives a variable another value. */
  set(name: VariableName, value: string): void {
    this.#given.set(name, value);
  }

  /** The value, checked by the rule of its name and in its normal form: PUBLIC_URL without a slash at its end. */
  read(name: VariableName): string | undefined {
    return this.#read(name, VARIABLES[name]);
  }

  /** The value of a variable that is not in the table, checked for what an env file leaves around it. */
  readOwn(name: string): string | undefined {
    return this.#read(name, {});
  }

  #read(name: string, { rule, isPem }: Variable): string | undefined {
    const value = this.valueOf(name);
    if (value === undefined) return undefined;
    if (isWrapped(isPem ? value.trim() : value)) {
      this.#broken.add(
        `${name} has quotes or spaces around its value, or an invisible character such as a carriage return: remove them, since docker's --env-file and kubectl's --from-env-file keep them`,
      );
      return value;
    }
    if (rule === undefined) return value;
    const checked = checkOptions<unknown>(rule().label(name), value);
    for (const problem of checked.problems) this.#broken.add(problem);
    return typeof checked.value === 'string' ? checked.value : value;
  }

  /** The empty text if the variable is missing, which is a problem then. */
  required(name: VariableName, what: string): string {
    const value = this.read(name);
    if (value === undefined) this.complain(`${name} is missing: ${what}`);
    return value ?? '';
  }

  /**
   * Makes something by a function that checks its options, from the variables of its rows. The problems go by the names of the
   * variables, and an option that is required and not set is a missing variable.
   *
   * @param factory - the function's name, with which the options of its rows begin.
   * @param own - variables by option, where several rows have the same option.
   */
  make<Made>(
    factory: string,
    make: (options: never) => Made,
    own: Readonly<Record<string, VariableName>> = {},
  ): Made | undefined {
    const options: Options = {};
    const names: Record<string, VariableName> = {};
    for (const name of variablesWhere(({ option }) => option?.startsWith(`${factory}.`) === true)) {
      names[VARIABLES[name].option?.slice(factory.length + 1) ?? ''] = name;
    }
    for (const [path, name] of Object.entries({ ...names, ...own })) {
      place(options, path.split('.'), this.read(name));
    }
    // The function itself checks whether they are its options.
    const { made, problems } = attempt(() => make(options as never));
    for (const problem of problems) {
      const [path = '', option = ''] = /^(\w+)(?:\[\d+\])?/.exec(problem) ?? [];
      const name = own[option] ?? names[option];
      const missing = `${String(name)} is missing: `;
      if (name === undefined || this.#complaints.some((complaint) => complaint.startsWith(missing))) continue;
      const rest = problem
        .slice(path.length)
        .replace(/, or (?:be left out$|an ioredis client or cluster)/, '');
      this.complain(this.hasAny(name) ? name + rest : rest.replace(/^ must be /, missing));
    }
    return made;
  }

  /** Adds a problem that no variable has alone. */
  complain(problem: string): void {
    this.#complaints.push(problem);
  }

  /** Whether a variable that was read since the last `takeProblems` is missing or wrong. */
  hasProblems(): boolean {
    return this.#complaints.length + this.#broken.size > 0;
  }

  /** The problems since the last call. */
  takeProblems(): readonly string[] {
    const problems = [...new Set([...this.#complaints, ...this.#broken])];
    this.#complaints = [];
    this.#broken.clear();
    return problems;
  }
}

interface Options {
  [name: string]: string | Options;
}

/** Gives an option its value, at its path. An option that is not set stays absent. */
function place(options: Options, [name = '', ...inner]: readonly string[], value: string | undefined): void {
  if (value === undefined) return;
  if (inner.length === 0) {
    options[name] = value;
    return;
  }
  const part = (options[name] ??= {});
  if (typeof part === 'object') place(part, inner, value);
}

/** Whether an env file has left quotes, spaces or invisible characters around a value. */
function isWrapped(value: string): boolean {
  return /^[\s\p{Quotation_Mark}]|[\s\p{Quotation_Mark}]$|\p{Cf}/u.test(value);
}

/** Makes something of options, or says which problems they have. */
export function attempt<Made>(make: () => Made): {
  readonly made: Made | undefined;
  readonly problems: readonly string[];
} {
  try {
    return { made: make(), problems: [] };
  } catch (error) {
    if (error instanceof ConfigurationError) return { made: undefined, problems: error.problems };
    throw error;
  }
}
