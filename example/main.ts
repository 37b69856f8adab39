import { CannotStart, start, type Started } from './start.js';
import { stopOnSignals } from './stop.js';

// Nobody may read what is printed any more, or the disk may be full: that ends no gateway.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

const started = await startOrExit();
stopOnSignals(started, process.env['npm_lifecycle_event'] === 'start');
await started.introduce();

async function startOrExit(): Promise<Started> {
  try {
    return await start(process.env, console);
  } catch (error) {
    if (!(error instanceof CannotStart)) throw error;
    console.error(error.message);
    process.exit(error.exitCode);
  }
}
