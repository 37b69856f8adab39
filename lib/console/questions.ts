import Joi from 'joi';
import type { ExecutionOutcome, ExecutionQuery } from '../core/history.js';
import { REQUEST_TYPES } from '../core/request-types.js';
import type { PayloadQuestion, SendQuestion } from './api.js';
import { ConsoleRefusal } from './refusal.js';

/** What the page asks, checked: its queries and its bodies. */

const OUTCOMES: Readonly<Record<ExecutionOutcome, true>> = {
  running: true,
  sent: true,
  delivered: true,
  undelivered: true,
  used: true,
  pending: true,
  blocked: true,
  failed: true,
};

/** Longer ones are no id and no word that anybody searches for. */
const MAX_TEXT = 256;
const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;

/** Made with the first question: joi's rules take their time, and most who import the package ask none. */
let rules: ReturnType<typeof makeRules> | undefined;

function makeRules() {
  return {
    execution: Joi.object<ExecutionQuery>({
      search: Joi.string().trim().max(MAX_TEXT),
      channel: Joi.string().max(MAX_TEXT),
      outcome: Joi.valid(...Object.keys(OUTCOMES)),
      before: Joi.string().max(MAX_TEXT),
      limit: Joi.number().integer().min(1).max(MAX_LIMIT).default(DEFAULT_LIMIT),
    }),
    payload: Joi.object<PayloadQuestion>({
      user: Joi.string().trim().max(100).required(),
      requestType: Joi.valid(...REQUEST_TYPES).required(),
      deliveryChannel: Joi.valid('sms', 'voice').required(),
    }).required(),
    send: Joi.object<SendQuestion>({ payload: Joi.any().required() }).required(),
  };
}

/** Okta's own payload has five levels. */
const MAX_DEPTH = 100;

/** @throws ConsoleRefusal `INVALID_REQUEST` with the names that are wrong. */
export function readExecutionQuery(query: URLSearchParams): ExecutionQuery {
  const given: Record<string, unknown> = {};
  for (const name of new Set(query.keys())) {
    // What a form leaves empty is not asked for.
    const values = query.getAll(name).filter((value) => value !== '');
    if (values.length > 0) given[name] = values.length === 1 ? values[0] : values;
  }
  return check((rules ??= makeRules()).execution, given, 'The query is not one of the history.');
}

/** @throws ConsoleRefusal `INVALID_REQUEST` with the fields that are missing or wrong. */
export function readPayloadQuestion(body: unknown): PayloadQuestion {
  return check((rules ??= makeRules()).payload, body, 'A user, a kind of request and a channel are needed.');
}

/** @throws ConsoleRefusal `INVALID_REQUEST` */
export function readSendQuestion(body: unknown): SendQuestion {
  const question = check((rules ??= makeRules()).send, body, 'A payload is needed.');
  if (!isDeeperThan(MAX_DEPTH, question.payload)) return question;
  throw new ConsoleRefusal('INVALID_REQUEST', 'The payload is nested too deep.', { fields: ['payload'] });
}

/** Level by level: what is as deep as 64 KiB allow overflows whatever goes through it by calling itself. */
function isDeeperThan(most: number, payload: unknown): boolean {
  let level: readonly unknown[] = [payload];
  for (let depth = 0; depth <= most; depth += 1) {
    level = level.flatMap((value) =>
      typeof value === 'object' && value !== null ? (Object.values(value) as unknown[]) : [],
    );
    if (level.length === 0) return false;
  }
  return true;
}

function check<Read>(schema: Joi.ObjectSchema<Read>, given: unknown, message: string): Read {
  const result = schema.validate(given, { abortEarly: false });
  if (result.error === undefined) return result.value;
  const fields = result.error.details.map(({ path }) => (path.length === 0 ? 'body' : path.join('.')));
  throw new ConsoleRefusal('INVALID_REQUEST', message, { fields: [...new Set(fields)] });
}
