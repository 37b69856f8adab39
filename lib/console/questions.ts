import Joi from 'joi';
import { EXECUTION_OUTCOMES, FAILOVERS, type ExecutionQuery, type FlowQuery } from './history/answers.js';
import { lazyRules } from '../core/option-rules.js';
import { REQUEST_TYPES } from '../core/request-types.js';
import { COUNTRIES } from '../numbers/phone-number.js';
import type { LiftQuestion, PayloadQuestion, SendQuestion, UserQuestion } from './api.js';
import { ConsoleRefusal } from './refusal.js';

/** Checks the queries and bodies of the page's requests. */

/** No id and no code is longer. */
const MAX_TEXT = 256;
const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;

/** These rules convert texts to numbers and give field names, so they use joi itself and not `checkOptions`. */
const rules = lazyRules(() => {
  const user = Joi.string().trim().max(100).required();
  return {
    execution: Joi.object<ExecutionQuery>({
      search: Joi.string().trim().max(MAX_TEXT),
      channel: Joi.string().max(MAX_TEXT),
      outcome: Joi.valid(...EXECUTION_OUTCOMES),
      failover: Joi.valid(...FAILOVERS, 'any'),
      from: Joi.date().iso().cast('number'),
      to: Joi.date().iso().cast('number'),
      before: Joi.string().max(MAX_TEXT),
      limit: Joi.number().integer().min(1).max(MAX_LIMIT).default(DEFAULT_LIMIT),
    }),
    flow: Joi.object<FlowQuery>({
      from: Joi.date().iso().cast('number'),
      country: Joi.string().max(MAX_TEXT),
      provider: Joi.string().max(MAX_TEXT),
    }),
    lift: Joi.object<LiftQuestion>({ country: Joi.valid(...COUNTRIES, 'none').required() }).required(),
    user: Joi.object<UserQuestion>({ user }).required(),
    payload: Joi.object<PayloadQuestion>({
      user,
      requestType: Joi.valid(...REQUEST_TYPES).required(),
      deliveryChannel: Joi.valid('sms', 'voice').required(),
      locale: Joi.string().trim().pattern(LANGUAGE_TAG),
    }).required(),
    send: Joi.object<SendQuestion>({ payload: Joi.any().required() }).required(),
  };
});

/** A tag as people type it: `fr`, `pt-BR`, `zh_Hans`. */
const LANGUAGE_TAG = /^[a-z]{2,8}(?:[-_][a-z0-9]{1,8}){0,3}$/i;

/** Okta's payload has five levels. */
const MAX_DEPTH = 100;

/** @throws ConsoleRefusal `INVALID_REQUEST` with the names of the wrong fields. */
export function readExecutionQuery(query: URLSearchParams): ExecutionQuery {
  return check(rules().execution, fieldsIn(query), WRONG_QUERY);
}

/** @throws ConsoleRefusal as `readExecutionQuery`. */
export function readFlowQuery(query: URLSearchParams): FlowQuery {
  return check(rules().flow, fieldsIn(query), WRONG_QUERY);
}

const WRONG_QUERY = 'The query has wrong fields.';

function fieldsIn(query: URLSearchParams): Readonly<Record<string, unknown>> {
  const given: Record<string, unknown> = {};
  for (const name of new Set(query.keys())) {
    // An empty field of the form is no filter.
    const values = query.getAll(name).filter((value) => value !== '');
    if (values.length > 0) given[name] = values.length === 1 ? values[0] : values;
  }
  return given;
}

export function readLiftQuestion(body: unknown): LiftQuestion {
  return check(rules().lift, body, 'A country is required.');
}

export function readUserQuestion(body: unknown): UserQuestion {
  return check(rules().user, body, 'A user is required.');
}

/** @throws ConsoleRefusal `INVALID_REQUEST` with the fields that are missing or wrong. */
export function readPayloadQuestion(body: unknown): PayloadQuestion {
  return check(
    rules().payload,
    body,
    'A user, a request type and a channel are required, and a language is a tag such as pt-BR.',
  );
}

export function readSendQuestion(body: unknown): SendQuestion {
  const question = check(rules().send, body, 'A payload is required.');
  if (!isDeeperThan(MAX_DEPTH, question.payload)) return question;
  throw new ConsoleRefusal('INVALID_REQUEST', 'The payload is nested too deep.', { fields: ['payload'] });
}

/** Goes level by level: a body of 64 KiB can be so deep that a recursive function overflows the stack. */
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
