import type { PhonesAbout, PhonesFailure, PhonesRequests, PhonesState } from '../api.js';

/** What the page sends to its server. Addresses are relative to the page, wherever it is mounted. */

/** Sends a request and shows the new state. Rejects with a sentence for people. */
export type Ask = <Name extends keyof PhonesRequests>(
  name: Name,
  request: PhonesRequests[Name],
) => Promise<void>;

export async function ask<Name extends keyof PhonesRequests>(
  name: Name,
  request: PhonesRequests[Name],
): Promise<PhonesState> {
  let answer: Response;
  try {
    answer = await fetch(`api/${name}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(request),
    });
  } catch {
    throw new Error('The demo does not answer. Is it still running?');
  }
  if (answer.ok) return (await answer.json()) as PhonesState;
  const { error } = (await answer.json()) as PhonesFailure;
  throw new Error(error.message);
}

export async function readAbout(): Promise<PhonesAbout> {
  return (await (await fetch('api/about')).json()) as PhonesAbout;
}

/** Listens to changes of the state for as long as the page is open. */
export function listen(
  onState: (state: PhonesState) => void,
  onConnection: (isConnected: boolean) => void,
): void {
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
}
