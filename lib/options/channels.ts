import { checkOptions, functionRule, lazyRules, oneOf, optionsOf, textOf } from '../core/option-rules.js';
import type { ConnectedChannel } from '../core/channel.js';

type Checked = Pick<ConnectedChannel, 'reports' | 'lookUp' | 'confirm' | 'check' | 'idNamespace'>;

const channelRules = lazyRules(() =>
  optionsOf<Checked>('an object', {
    reports: oneOf("'failures' or 'deliveries', or be left out", 'failures', 'deliveries'),
    lookUp: functionRule('a function (transactionId, context) => what became of the message, or be left out'),
    confirm: functionRule('a function (transactionId, context) => a promise, or be left out'),
    check: functionRule('a function (context) => a promise, or be left out'),
    idNamespace: textOf("a word of letters, digits, '.', '-' and '_', or be left out").pattern(
      /^[\w.-]{1,64}$/,
    ),
  }),
);

/**
 * What is wrong with a channel beside `send` and `provider`.
 * @param path - the channel's place in the options.
 */
export function channelProblems(path: string, channel: object): readonly string[] {
  // Field by field: joi would copy the object, and getters of a class may need the object itself.
  const { reports, lookUp, confirm, check, idNamespace } = channel as Partial<Checked>;
  const { problems } = checkOptions(channelRules(), { reports, lookUp, confirm, check, idNamespace });
  return problems.map((problem) => `${path}.${problem}`);
}
