import type { PhonesAbout, PhonesFailure, PhonesRequests, PhonesState } from '../api.js';

/** What the page sends to its server. Addresses are relative to the page, wherever it is mounted. */

/** Sends a request and shows the new state. If it fails, resolves to a sentence for people. */
export type Ask = <Name extends keyof PhonesRequests>(
  name: Name,
  request: PhonesRequests[Name],
) => Promise<string | undefined>;

/** Resolves to the new state, or to a sentence for people. */
export async function post<Name extends keyof PhonesRequests>(
  name: Name,
  request: PhonesRequests[Name],
): Promise<PhonesState | string> {
  try {
    const answer = await fetch(`api/${name}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(request),
    });
    if (answer.ok) return (await answer.json()) as PhonesState;
    return ((await answer.json()) as PhonesFailure).error.message;
  } catch {
    return 'The demo does not answer. Is it still running?';
  }
}

export async function readAbout(): Promise<PhonesAbout> {
  return (await (await fetch('api/about')).json()) as PhonesAbout;
}

/** Listens to changes of the state. Returns a function that ends it. */
export function listen(
  onState: (state: PhonesState) => void,
  onConnection: (isConnected: boolean) => void,
): () => void {
  const stream = new EventSource('api/stream');
  stream.addEventListener('open', () => {
    onConnection(true);
  });
  stream.addEventListener('error', () => {
    onConnection(false);
  });
  stream.addEventListener('state', (event: MessageEvent<string>) => {
    onState(JSON.parse(event.data) as PhonesState);
  });
  return () => stream.close();
}
