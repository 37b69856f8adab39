import { createAgent } from '../../../http/call.js';
import { questionContext } from '../../../delivery/channel-contract.js';
import { ConfigurationError } from '../../../core/errors.js';
import { PROVIDERS } from '../../providers.js';
import type { OtherProvider } from '../variables.js';
import { connectMsOf, fail, known, ok, type Check, type CheckGroup, type Finding } from '../finding.js';

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Checks whether a provider beyond Twilio accepts its credentials, by the same check as `ready()`. No message is sent. */
export function examineProvider(
  { name, section }: OtherProvider,
  { callMs }: { readonly callMs: number },
): CheckGroup {
  const { title } = PROVIDERS[name];
  const dispatcher = createAgent(connectMsOf(callMs));
  const checks = Object.entries(section.value ?? {}).map(([channel, blueprint]): Check => {
    const run = async (): Promise<Finding> => {
      const parts = { twilio: undefined, dispatcher, logger: SILENT, clock: Date.now, channel };
      try {
        const connected = typeof blueprint === 'function' ? blueprint(parts) : blueprint;
        await connected.check?.(questionContext({ dispatcher, onMistake: () => undefined }, callMs, callMs));
      } catch (error) {
        if (!(error instanceof ConfigurationError)) throw error;
        return fail(
          `It cannot work: ${error.problems.join('; ')}.`,
          `Compare the variables ${name.toUpperCase()}_… with these options.`,
        );
      }
      return ok(`${title} takes the credentials.`);
    };
    return { name: `${name}.${channel}`, run };
  });
  return {
    title,
    checks: [known(`${name}.variables`, section.finding), ...checks],
    close: () => dispatcher.destroy(),
  };
}
