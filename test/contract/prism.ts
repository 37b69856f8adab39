import { createRequire } from 'node:module';
import { misfitsOf } from './own-checks.js';

/** The only file that uses prism: checks requests and answers with an OpenAPI document, and answers with its examples. */

/** A received request. Header names are in lower case. */
export interface SeenRequest {
  readonly method: string;
  /** Without the query; encoded. */
  readonly path: string;
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A sent answer. */
export interface SeenAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** JSON Schema, as prism makes it from OpenAPI: without references. */
export type Schema = Readonly<Record<string, unknown>>;

interface Content {
  readonly mediaType: string;
  readonly schema?: Schema;
}

interface Parameter {
  readonly name: string;
  readonly schema?: Schema;
}

/** One operation of a document, in prism's form. */
export interface Operation {
  /** The document's `operationId`. */
  readonly iid: string;
  readonly method: string;
  /** With the parameters in braces. */
  readonly path: string;
  readonly request?: {
    readonly body?: { readonly contents?: readonly Content[] };
    readonly path?: readonly Parameter[];
    readonly query?: readonly Parameter[];
  };
  readonly responses: readonly { readonly code: string; readonly contents?: readonly Content[] }[];
  /** One of these lists is enough; an empty list requires no credential. */
  readonly security?: readonly (readonly unknown[])[];
}

/** The result of the checks of an exchange. */
export interface Examination {
  /** `undefined` if the document has no operation for the request. */
  readonly operation: Operation | undefined;
  /** The problems, in sentences without values. */
  readonly problems: readonly string[];
}

/** One vendor's document. */
export interface VendorDocument {
  /** The file's name, without `.json`. */
  readonly name: string;
  readonly operations: readonly Operation[];
  /** Checks a request and its answer. */
  examine(request: SeenRequest, answer: SeenAnswer): Promise<Examination>;
  /** Answers with the document's example; `undefined` if the document has no such operation. */
  mock(request: SeenRequest): Promise<SeenAnswer | undefined>;
}

/** A problem, as prism reports it. `path` begins with `path`, `query`, `header` or `body`. */
interface Diagnostic {
  readonly message: string;
  readonly path?: readonly (string | number)[];
}

type Either<Left, Right> =
  { readonly _tag: 'Left'; readonly left: Left } | { readonly _tag: 'Right'; readonly right: Right };

interface PrismRequest {
  readonly method: string;
  readonly url: { readonly path: string; readonly query: Readonly<Record<string, string | string[]>> };
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

interface PrismAnswer {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
}

interface PrismResult {
  readonly output: PrismAnswer;
  readonly validations: { readonly input: readonly Diagnostic[]; readonly output: readonly Diagnostic[] };
}

interface PrismError {
  readonly name: string;
}

/**
 * The parts of prism that this file uses. Written by hand, and required by name: only the contract run installs prism,
 * and the checks of the repository run without it.
 */
interface Prism {
  getHttpOperationsFromSpec(document: object): Promise<Operation[]>;
  createInstance(
    config: object,
    components: {
      readonly logger: object;
      /** Replaces prism's call of the real API. */
      readonly forward?: (
        parts: object,
        origin: string,
        proxy: unknown,
        operation: Operation,
      ) => () => () => Promise<Either<never, PrismAnswer>>;
    },
  ): {
    request(
      request: PrismRequest,
      operations: readonly Operation[],
    ): () => Promise<Either<PrismError, PrismResult>>;
  };
}

const requireOfRun = createRequire(import.meta.url);

/** Reads a parsed document. */
export async function readDocument(name: string, parsed: object): Promise<VendorDocument> {
  // prism has no types here: `Prism` describes the used parts, and the planted faults prove that they work.
  const prism = requireOfRun('@stoplight/prism-http') as Prism;
  const operations = await prism.getHttpOperationsFromSpec(parsed);
  const mocked = prism.createInstance(
    { isProxy: false, errors: false, mock: { dynamic: false }, ...checks(false) },
    { logger: SILENT },
  );

  return {
    name,
    operations,
    async mock(request) {
      const result = await mocked.request(toPrism(request), operations)();
      if (result._tag === 'Left') return undefined;
      const { statusCode, body } = result.right.output;
      return {
        status: statusCode,
        headers: { 'content-type': 'application/json' },
        body: body === undefined ? '' : JSON.stringify(body),
      };
    },
    async examine(request, answer) {
      let found: Operation | undefined;
      const seen = prism.createInstance(
        // With `errors`, a request without an operation is an error instead of a warning.
        { isProxy: true, errors: true, upstream: new URL('http://127.0.0.1'), mock: {}, ...checks(true) },
        {
          logger: SILENT,
          forward: (_parts, _origin, _proxy, operation) => () => () => {
            found = operation;
            const { status: statusCode, headers } = answer;
            const body = answer.body === '' ? undefined : readBody(answer);
            return Promise.resolve({ _tag: 'Right', right: { statusCode, headers, body } });
          },
        },
      );
      const result = await seen.request(toPrism(request), operations)();
      if (result._tag === 'Left') return { operation: undefined, problems: [reasonOf(result.left)] };
      const { input, output } = result.right.validations;
      const problems = [...input, ...output].map(({ message }) => message);
      if (found === undefined) return { operation: found, problems: [...problems, 'Prism did not check it'] };
      return { operation: found, problems: [...problems, ...misfitsOf(found, request, answer)] };
    },
  };
}

/** The parsed body if it is valid JSON by its content type, else the text. */
export function readBody(message: {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}): unknown {
  if (!/^application\/json\b/i.test(message.headers['content-type'] ?? '')) return message.body;
  try {
    return JSON.parse(message.body);
  } catch {
    return message.body;
  }
}

function checks(areMade: boolean): object {
  return { validateRequest: areMade, validateResponse: areMade, checkSecurity: areMade };
}

function toPrism(request: SeenRequest): PrismRequest {
  const query: Record<string, string | string[]> = {};
  for (const [name, value] of request.query) {
    const known = query[name];
    query[name] = known === undefined ? value : [...(typeof known === 'string' ? [known] : known), value];
  }
  return {
    method: request.method.toLowerCase(),
    url: { path: request.path, query },
    headers: request.headers,
    body: request.body === '' ? undefined : readBody(request),
  };
}

/** `NO_METHOD_MATCHED_ERROR` in words; prism's sentence has the path, which may contain a login. */
function reasonOf({ name }: PrismError): string {
  const code = name.split('#')[1] ?? name;
  return code === 'NO_PATH_MATCHED_ERROR' || code === 'NO_METHOD_MATCHED_ERROR'
    ? 'The document has no such operation'
    : `Prism refused it: ${code}`;
}

const SILENT: object = Object.assign(
  Object.fromEntries(
    ['trace', 'debug', 'info', 'success', 'start', 'warn', 'error', 'fatal'].map((level) => [
      level,
      () => undefined,
    ]),
  ),
  { child: () => SILENT },
);
