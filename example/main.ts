import { ConfigurationError } from 'okta-telephony-hook';
import { start, type Started } from './start.js';
import { stopOnSignals } from './stop.js';

// A closed pipe or a full disk behind the output must not end the gateway.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

const started = await startOrExit();
stopOnSignals(started, process.env['npm_lifecycle_event'] === 'start');
await started.introduce();

async function startOrExit(): Promise<Started> {
  try {
    return await start(process.env, console);
  } catch (error) {
    const isPortInUse = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
    if (!isPortInUse && !(error instanceof ConfigurationError)) throw error;
    // Without a stack: the message says which variables to mend.
    console.error(
      isPortInUse
        ? 'A port is in use. Set PORT or METRICS_PORT to another one; 0 takes any free one.'
        : (error as Error).message,
    );
    process.exit(2);
  }
}
