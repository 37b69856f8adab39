import type { Message } from '../core/channel.js';
import { pickByLocale } from '../texts/locale.js';

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
