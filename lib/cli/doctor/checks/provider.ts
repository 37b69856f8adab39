import { createAgent } from '../../../http/call.js';
import { questionContext } from '../../../delivery/channel-contract.js';
import type { Channel } from '../../../channels/channel.js';
import type { ConnectedChannel, SendContext } from '../../../core/channel.js';
import { ConfigurationError } from '../../../core/errors.js';
import { sendersFinding } from './registration.js';
import { PROVIDERS } from '../../providers.js';
import type { OtherProvider } from '../variables.js';
import {
  after,
  connectMsOf,
  fail,
  known,
  ok,
  once,
  type Check,
  type CheckGroup,
  type Finding,
} from '../finding.js';

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Checks whether a provider beyond Twilio accepts its credentials, by the same check as `ready()`. No message is sent. */
export function examineProvider(
  { name, section }: OtherProvider,
  {
    callMs,
    countries,
    further = {},
  }: {
    readonly callMs: number;
    /** The countries for which the sender of SMS is checked. Default: no check of the sender. */
    readonly countries?: readonly string[] | undefined;
    /** Further checks by their names, after the first channel's. */
    readonly further?: Readonly<Record<string, (context: SendContext) => Promise<Finding>>> | undefined;
  },
): CheckGroup {
  const { title } = PROVIDERS[name];
  const dispatcher = createAgent(connectMsOf(callMs));
  const contextOf = (): SendContext =>
    questionContext({ dispatcher, onMistake: () => undefined }, callMs, callMs);
  const connect = (channel: string, blueprint: Channel): ConnectedChannel =>
    typeof blueprint === 'function'
      ? blueprint({ twilio: undefined, dispatcher, logger: SILENT, clock: Date.now, channel })
      : blueprint;
  const checks = Object.entries(section.value ?? {}).map(([channel, blueprint]): Check => {
    const run = async (): Promise<Finding> => {
      try {
        await connect(channel, blueprint).check?.(contextOf());
      } catch (error) {
        if (!(error instanceof ConfigurationError)) throw error;
        return fail(
          `It cannot work: ${error.problems.join('; ')}.`,
          `Compare the variables ${name.toUpperCase()}_… with these options.`,
        );
      }
      return ok(`${title} takes the credentials.`);
    };
    return { name: `${name}.${channel}`, run: once(run) };
  });
  const [first] = checks;
  const sms = section.value?.['sms'];
  const registration = (): Promise<Finding> => {
    const { senderFor } = sms === undefined ? {} : connect('sms', sms);
    const finding = sendersFinding(countries ?? [], (country) => {
      const sender = senderFor?.(country);
      return sender && { ...sender, option: `${name}.sms`, country };
    });
    return Promise.resolve(finding);
  };
  const all = countries === undefined || sms === undefined ? further : { registration, ...further };
  const others = Object.entries(all).flatMap(([key, run]): readonly Check[] =>
    first === undefined ? [] : [{ name: `${name}.${key}`, run: after(first, () => run(contextOf())) }],
  );
  return {
    title,
    checks: [known(`${name}.variables`, section.finding), ...checks, ...others],
    close: () => dispatcher.destroy(),
  };
}
