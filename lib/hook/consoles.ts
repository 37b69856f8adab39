import { ConfigurationError } from '../core/errors.js';
import { createConsoles, type ConsoleBase, type Consoles } from './open-console.js';
import { consoleProblems } from '../options/console-options.js';
import type { ConsoleOptions } from '../options/options.js';
import type { ConsoleHandler } from './telephony-hook.js';

/** `hook.console()`: nothing of it is made, and nothing is remembered, before it is called. */
export interface ConsoleMount {
  /** @throws ConfigurationError that names every problem of the options. */
  mount(options: ConsoleOptions): ConsoleHandler;
  /** Ends their streams at once, and the history once nothing more happens. Never rejects. */
  close(drained: Promise<unknown>): Promise<void>;
}

export function createConsoleMount(makeBase: () => ConsoleBase): ConsoleMount {
  let consoles: Consoles | undefined;
  let isClosed = false;

  const begin = (): Consoles => {
    const base = makeBase();
    const begun = createConsoles(base);
    base.parts.events.listen(begun.listener);
    // Of a hook that is closed, it keeps nothing open.
    if (isClosed) void begun.close(Promise.resolve());
    return begun;
  };

  return {
    mount: (options) => {
      const problems = consoleProblems(options);
      if (problems.length > 0) throw new ConfigurationError(problems, { of: 'hook.console' });
      consoles ??= begin();
      const serve = consoles.open(options);
      return (req, res, next) => {
        serve(req, res).catch(next);
      };
    },
    close: async (drained) => {
      isClosed = true;
      await consoles?.close(drained);
    },
  };
}
