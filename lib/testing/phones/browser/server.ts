import type {
  BadDayQuestion,
  CodeQuestion,
  FaultQuestion,
  OptInQuestion,
  PhonesAbout,
  PhonesFailure,
  PhonesState,
  ReadQuestion,
  SignInQuestion,
  WriteQuestion,
} from '../api.js';

/** What the page asks its server. Addresses are relative to the page, wherever it is mounted. */

interface Questions {
  'sign-in': SignInQuestion;
  code: CodeQuestion;
  write: WriteQuestion;
  read: ReadQuestion;
  'opt-in': OptInQuestion;
  fault: FaultQuestion;
  'bad-day': BadDayQuestion;
}

/** Asks for something to be done; resolves to how things stand then. Rejects with a sentence for people. */
export type Ask = <Name extends keyof Questions>(name: Name, question: Questions[Name]) => Promise<void>;

export async function ask<Name extends keyof Questions>(
  name: Name,
  question: Questions[Name],
): Promise<PhonesState> {
  let answer: Response;
  try {
    answer = await fetch(`api/${name}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(question),
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

/** Listens to how things stand, for as long as the page is open; `onConnection` says whether anybody tells. */
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
