import express, { type Router } from 'express';
import { fieldsOf, readForm } from './login.js';
import { markup, page, type Html } from './pages.js';

export const DEMO_PHONE_PATH = '/demo/phone';

interface Owner {
  readonly firstName: string;
  readonly phone: string;
}

/** WhatsApp on the emulated phones: a page to write to the gateway from, for there is no phone to take in hand. */
export function createDemoPhones(
  owners: readonly Owner[],
  joinWords: string,
  write: (from: string, text: string) => Promise<readonly string[]>,
): Router {
  const router = express.Router();
  router.get(DEMO_PHONE_PATH, (req, res) => {
    const { text } = req.query;
    res.send(phonePage(owners, joinWords, typeof text === 'string' ? text : '', undefined));
  });
  router.post(DEMO_PHONE_PATH, readForm, async (req, res) => {
    const { from, text = '' } = fieldsOf(req);
    const owner = owners.find(({ phone }) => phone === from);
    if (owner === undefined || text === '') res.redirect(303, DEMO_PHONE_PATH);
    else res.send(phonePage(owners, joinWords, '', { owner, text, replies: await write(owner.phone, text) }));
  });
  return router;
}

interface Sent {
  readonly owner: Owner;
  readonly text: string;
  readonly replies: readonly string[];
}

function phonePage(
  owners: readonly Owner[],
  joinWords: string,
  text: string,
  sent: Sent | undefined,
): string {
  return page(
    'WhatsApp on an emulated phone',
    markup`<p>Nothing leaves this machine. <a href="/preferences">Back to how codes come</a></p>
${sent === undefined ? '' : sentTo(sent)}
<form method="post" action="${DEMO_PHONE_PATH}">
<label>Whose phone <select name="from">${optionsOf(owners)}</select></label>
<label>Message to the gateway <input name="text" value="${text}" autocomplete="off" required></label>
<button>Send</button>
</form>
<p>STOP leaves the sandbox, too: after it, send <strong>${joinWords}</strong> before START.</p>`,
  );
}

function sentTo({ owner, text, replies }: Sent): Html {
  const answer = replies.length === 0 ? 'nothing' : replies.join(' ');
  return markup`<p class="notice" role="status">${owner.firstName} wrote ${text}, and was answered: ${answer}</p>`;
}

function optionsOf(owners: readonly Owner[]): Html {
  const options = owners.map(
    ({ firstName, phone }) => markup`<option value="${phone}">${firstName} ${phone}</option>`.html,
  );
  return { html: options.join('') };
}
