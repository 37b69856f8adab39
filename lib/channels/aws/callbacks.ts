import type { CallbackReceiver, Logger, PushedReport } from '../../core/channel.js';
import { fieldOf, parseJson, textFieldOf } from '../../core/json.js';
import { failureOf } from './error-codes.js';
import { snsProof, type SnsMessage, type SnsTopic } from './sns.js';

/** Receives the events of messages from an SNS topic. Source: "Messaging Events" in the guide of AWS End User Messaging. */

const OK = { status: 200 } as const;
const UNPROVEN = { status: 403 } as const;
/** SNS sends the message again. */
const AGAIN = { status: 503 } as const;

export function eventReceiver(topic: SnsTopic, clock: () => number, logger: Logger): CallbackReceiver {
  const prove = snsProof(topic, clock);
  return {
    handle: async ({ rawBody }, { http }) => {
      const message = await prove(rawBody.toString(), http);
      if (message === undefined) return UNPROVEN;
      if (message === 'again') return AGAIN;
      switch (message.Type) {
        case 'Notification':
          return { ...OK, reports: reportsOf(message) };
        case 'SubscriptionConfirmation': {
          const url = confirmationUrl(message, topic);
          if (url === undefined) return UNPROVEN;
          const answer = await http({ method: 'GET', url });
          return answer.kind === 'answered' && answer.status === 200 ? OK : AGAIN;
        }
        case 'UnsubscribeConfirmation':
          logger.warn('The subscription to the SNS topic of awsSms has ended: no more reports will come');
          return OK;
      }
    },
  };
}

/** Where to confirm the subscription: at SNS, and for this topic. */
function confirmationUrl(
  { SubscribeURL: text = '' }: SnsMessage,
  { topicArn, origin }: SnsTopic,
): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isForTopic =
    url.searchParams.get('Action') === 'ConfirmSubscription' && url.searchParams.get('TopicArn') === topicArn;
  return isForTopic && url.origin === origin ? url.href : undefined;
}

/** The report in an event. Anything else on the topic has none. */
function reportsOf({ Message: text }: SnsMessage): readonly PushedReport[] {
  const event = parseJson(text);
  const eventType = textFieldOf(event, 'eventType');
  const transactionId = textFieldOf(event, 'messageId');
  if (transactionId === undefined || eventType?.startsWith('TEXT_') !== true) return [];
  const attempt = fieldOf(event, 'context', 'attempt');
  const message = {
    transactionId,
    reference: typeof attempt === 'string' ? attempt : undefined,
    providerStatus: eventType,
  };
  const failure = failureOf(eventType);
  if (failure !== undefined) return [{ ...message, ...failure }];
  // SUCCESSFUL says that the network has it. UNKNOWN comes after three days without a word.
  return [{ ...message, status: eventType === 'TEXT_DELIVERED' ? 'delivered' : 'pending' }];
}
