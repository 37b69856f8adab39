import type { Outcome } from '../core/channel.js';
import { asObject, parseJson, type JsonObject } from '../core/json.js';
import type { HttpAnswer, HttpResult } from './call.js';

/** How the complete answers of one provider are read. */
export interface AnswerReader {
  /** As reasons name it, e.g. `Twilio`. */
  readonly provider: string;
  /** What a 2xx says; `undefined` where nothing of it can be read. */
  readonly readSuccess: (answer: HttpAnswer) => Outcome | undefined;
  /** What a complete 3xx, 4xx or 503 says: why it was refused, or that the provider has had this message before. */
  readonly readRefusal: (answer: HttpAnswer) => Outcome;
}

/**
 * What an attempt over HTTP came to. Refused is only what has certainly not gone out: it never left, or a complete
 * 3xx, 4xx or 503 came. After 500, 502, 504 and an answer that cannot be read nobody knows.
 */
export function outcomeOfCall(result: HttpResult, reader: AnswerReader): Outcome {
  const { provider } = reader;
  if (result.kind === 'not-sent') {
    const reason = `Not sent: ${provider} could not be reached (${result.reason})`;
    return { status: 'refused', code: 'UNREACHABLE', reason, moveOn: true, hasLeft: false };
  }
  if (result.kind === 'no-answer') {
    return { status: 'unknown', reason: `No complete answer from ${provider} (${result.reason})` };
  }
  const { status } = result;
  if (status >= 200 && status <= 299) {
    const reason = `${provider} answered with status ${status} and nothing that can be read`;
    return reader.readSuccess(result) ?? { status: 'unknown', reason };
  }
  if (status < 500 || status === 503) return reader.readRefusal(result);
  return { status: 'unknown', reason: `${provider} answered with status ${status}` };
}

/** The answer's JSON object; an empty one if there is none: a proxy in front of a provider answers in HTML. */
export function readObject(answer: HttpAnswer): JsonObject {
  return asObject(parseJson(answer.body));
}
