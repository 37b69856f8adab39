import { createAgent } from '../../../http/call.js';
import { questionContext } from '../../../delivery/channel-contract.js';
import type { SendContext } from '../../../core/channel.js';
import { ConfigurationError } from '../../../core/errors.js';
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
    further = {},
  }: {
    readonly callMs: number;
    /** Further checks by their names, after the first channel's. */
    readonly further?: Readonly<Record<string, (context: SendContext) => Promise<Finding>>> | undefined;
  },
): CheckGroup {
  const { title } = PROVIDERS[name];
  const dispatcher = createAgent(connectMsOf(callMs));
  const contextOf = (): SendContext =>
    questionContext({ dispatcher, onMistake: () => undefined }, callMs, callMs);
  const checks = Object.entries(section.value ?? {}).map(([channel, blueprint]): Check => {
    const run = async (): Promise<Finding> => {
      const parts = { twilio: undefined, dispatcher, logger: SILENT, clock: Date.now, channel };
      try {
        const connected = typeof blueprint === 'function' ? blueprint(parts) : blueprint;
        await connected.check?.(contextOf());
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
  const others = Object.entries(further).flatMap(([key, run]): readonly Check[] =>
    first === undefined ? [] : [{ name: `${name}.${key}`, run: after(first, () => run(contextOf())) }],
  );
  return {
    title,
    checks: [known(`${name}.variables`, section.finding), ...checks, ...others],
    close: () => dispatcher.destroy(),
  };
}
