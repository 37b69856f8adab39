import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HookEvent, HookEventListener } from './delivery/events.js';
import { lazily } from './delivery/lazily.js';
import { ConfigurationError } from './errors.js';
import type { ConsoleBase, Consoles } from './open-console.js';
import { consoleProblems } from './option-rules/console.js';
import type { ConsoleOptions } from './options.js';

/** `hook.console()`: nothing of it is there before it is called. */
export interface ConsoleMount {
  /** @throws ConfigurationError that names every problem of the options. */
  mount(options: ConsoleOptions): ConsoleHandler;
  /** Ends their streams at once, and the history once nothing more happens. Never rejects. */
  close(drained: Promise<unknown>): Promise<void>;
}

/** The console as a gateway mounts it. It answers all that comes below its mount. */
export type ConsoleHandler = (
  req: IncomingMessage,
  res: ServerResponse,
  next: (error?: unknown) => void,
) => void;

export function createConsoleMount(makeBase: () => ConsoleBase): ConsoleMount {
  let load: (() => Consoles | Promise<Consoles>) | undefined;

  const begin = (): (() => Consoles | Promise<Consoles>) => {
    const base = makeBase();
    // What happens while it is loaded, a few milliseconds, is not to be missed.
    const early: HookEvent[] = [];
    let tell: HookEventListener = (event) => early.push(event);
    base.parts.events.listen((event) => tell(event));
    const loading = lazily(async () => {
      try {
        const { createConsoles } = await import('./open-console.js');
        const consoles = createConsoles(base);
        tell = consoles.listener;
        for (const event of early) tell(event);
        return consoles;
      } catch (error) {
        tell = () => undefined;
        throw error;
      } finally {
        early.length = 0;
      }
    });
    loading.ahead();
    return loading;
  };

  return {
    mount: (options) => {
      const problems = consoleProblems(options);
      if (problems.length > 0) throw new ConfigurationError(problems, { of: 'hook.console' });
      const loading = (load ??= begin());
      const opening = lazily(async () => (await loading()).open(options));
      return (req, res, next) => {
        Promise.resolve(opening())
          .then((serve) => serve(req, res))
          .catch(next);
      };
    },
    close: async (drained) => {
      if (load === undefined) return;
      // What could not be loaded has nothing to close.
      const consoles = await Promise.resolve(load()).catch(() => undefined);
      await consoles?.close(drained);
    },
  };
}
