import { expect } from 'chai';
import type { HookEvent } from '#lib/index.js';
import type { LogLine } from '#harness/scene.js';
import { withPlainDigits } from '#harness/witness.js';

/** An answer as a caller sees it. */
export interface SeenAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** What a hook writes beside its answer. */
export interface Output {
  readonly log: LogLine[];
  readonly events: HookEvent[];
}

const METADATA =
  /^channel=[\w.:-]+;requestType=[\w.:-]+;Duration=\d+ms;id=[\w.:-]+(;refused=[\w.:-]+:[\w.:-]+(,[\w.:-]+:[\w.:-]+)*)?(;blocked=[A-Z_]+)?$/;
const STATUSES: readonly number[] = [200, 400, 401, 405, 408, 413, 415, 503];

interface Cause {
  readonly errorSummary: string;
  readonly reason: string;
}

/** The two forms of an answer: a command, or an error. */
export interface AnswerBody {
  readonly commands?: readonly { readonly type: string; readonly value: readonly Command[] }[];
  readonly error?: { readonly errorSummary: string; readonly errorCauses?: readonly Cause[] };
}
export interface Command {
  readonly status: string;
  readonly provider: string;
  readonly transactionId: string;
  readonly transactionMetadata: string;
}

/** Expects that an answer has the form of the contract. Returns its body. */
export function expectAnswer({ status, headers, body }: SeenAnswer): AnswerBody {
  expect(status, body).to.be.oneOf(STATUSES);
  expect(headers).to.include({
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store, no-transform',
    'content-length': String(Buffer.byteLength(body)),
  });
  const parsed = JSON.parse(body) as AnswerBody;
  if (status === 401) {
    expect(parsed).to.deep.equal({ error: { errorSummary: 'Unauthorized' } });
    expect(headers['www-authenticate']).to.be.a('string').and.not.equal('');
    return parsed;
  }
  if (status === 405) expect(headers['allow']).to.equal('POST');
  if (parsed.error === undefined) {
    expect(status).to.equal(200);
    expect(parsed).to.have.all.keys('commands');
    expect(parsed.commands).to.have.length(1);
    const [command] = parsed.commands ?? [];
    expect(command).to.have.all.keys('type', 'value');
    expect(command?.type).to.equal('com.okta.telephony.action');
    expect(command?.value).to.have.length(1);
    const [value] = command?.value ?? [];
    expect(value).to.have.all.keys('status', 'provider', 'transactionId', 'transactionMetadata');
    expect(value?.status).to.be.oneOf(['SUCCESSFUL', 'PENDING']);
    expect(value?.provider).to.be.a('string').and.not.equal('');
    expect(value?.transactionId).to.be.a('string').and.not.equal('');
    expect(value?.transactionMetadata).to.match(METADATA);
    return parsed;
  }
  expect(parsed).to.have.all.keys('error');
  expect(parsed.error).to.have.all.keys('errorSummary', 'errorCauses');
  expect(parsed.error.errorSummary).to.be.a('string').and.not.equal('');
  expect(parsed.error.errorCauses).to.be.an('array').and.not.empty;
  for (const cause of parsed.error.errorCauses ?? []) {
    expect(cause).to.have.all.keys('errorSummary', 'reason', 'locationType', 'location', 'domain');
    for (const text of Object.values(cause)) expect(text).to.be.a('string');
  }
  return parsed;
}

/** The one command of an answer. */
export function commandIn(body: AnswerBody): Command | undefined {
  return body.commands?.[0]?.value[0];
}

/** Times and durations: their digits can contain a short code by chance. */
const TIME_FIELDS: ReadonlySet<string> = new Set([
  'at',
  'durationMs',
  'profileMs',
  'remainingMs',
  'skewMs',
  'untilMs',
]);

/** Expects none of these in the answer, the log or the events. Ignores secrets of less than 4 characters. */
export function expectNoSecretsIn(
  secrets: readonly string[],
  answer: string,
  { log, events }: Output,
  ids: readonly string[] = [],
): void {
  let text = [answer, ...textsIn(log), ...textsIn(events)]
    .join('\n')
    // Ids of providers and durations have random digits, too.
    .replace(/\b(SM|CA)[0-9a-f]{32}\b/g, 'SID')
    .replace(/Duration=\d+ms/g, 'DURATION');
  for (const id of ids) text = text.replaceAll(id, 'ID');
  const lowered = withPlainDigits(text.toLowerCase());
  for (const secret of secrets) {
    if (secret.length < 4) continue;
    const at = lowered.indexOf(withPlainDigits(secret.toLowerCase()));
    if (at >= 0) expect.fail(`a secret: ${text.slice(Math.max(0, at - 200), at + 200)}`);
  }
}

/** Every text and number in a value, except for the numbers in `TIME_FIELDS`. */
function* textsIn(value: unknown): Generator<string> {
  if (typeof value === 'string' || typeof value === 'number') yield String(value);
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    yield key;
    if (!(typeof inner === 'number' && TIME_FIELDS.has(key))) yield* textsIn(inner);
  }
}

const shapes = (): string =>
  JSON.stringify(
    [Object.prototype, Array.prototype, Function.prototype, String.prototype].map((prototype) =>
      Object.getOwnPropertyNames(prototype),
    ),
  );
const SHAPES = shapes();

/** Expects that no built-in prototype has gained or lost a property. */
export function expectNothingPolluted(): void {
  expect(shapes()).to.equal(SHAPES);
}
