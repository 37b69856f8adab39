import type Joi from 'joi';
import type { Message } from '../core/channel.js';
import { isObject } from '../core/json.js';
import { objectOf, tested } from '../core/option-rules.js';
import { pickByLocale } from '../texts/locale.js';
import { secretRule } from './provider.js';

/** What DLT, India's register of senders and texts, knows of the SMS. Messages to other countries carry none of it. */
export interface Dlt {
  /** The id of the principal entity, which is your organisation. */
  readonly entityId: string;
  /**
   * The id of the registered text. If you register a text for each language, ids by BCP-47 tag: `{ default: '…', hi: '…' }`.
   * Default: none.
   */
  readonly contentId?: string | ({ readonly default: string } & Readonly<Record<string, string>>) | undefined;
}

const INDIA = '+91';
/** An id of DLT, as text without spaces. */
export const DLT_ID = /^[\x21-\x7e]+$/;

/** Whether a value is an id of a text, or ids by language. */
function isContentId(value: unknown): boolean {
  const ids = isObject(value) ? Object.values(value) : [value];
  const areIds = ids.every((id) => typeof id === 'string' && DLT_ID.test(id));
  return areIds && (!isObject(value) || value['default'] !== undefined);
}

/** The rule of the option `dlt`. */
export const dltRule = (): Joi.ObjectSchema<Dlt> =>
  objectOf<Dlt>('{ entityId, contentId } of DLT, or be left out', {
    entityId: secretRule("your organisation's id at DLT").required(),
    contentId: tested(
      "the registered text's id, or ids by language with a default, or be left out",
      isContentId,
    ),
  });

/** The ids that go with a message; `undefined` if it does not go to India. */
export function dltIdsOf(
  { to, locale }: Pick<Message, 'to' | 'locale'>,
  dlt: Dlt | undefined,
): { readonly entityId: string; readonly contentId: string | undefined } | undefined {
  if (dlt === undefined || !to.startsWith(INDIA)) return undefined;
  const { entityId, contentId } = dlt;
  const id =
    typeof contentId === 'object' ? (pickByLocale(contentId, locale) ?? contentId.default) : contentId;
  return { entityId, contentId: id };
}
