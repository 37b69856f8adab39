import { posix } from 'node:path';
import { pageAt } from '../pages.js';

const INDEX = 'docs/README.md';

/** The page for language models (llmstxt.org): what the package is, and the guides with their questions, from their index. */
export function llmsPage(): string {
  const index = pageAt(INDEX);
  const guides = index
    .slice(index.indexOf('\n## '))
    .replaceAll(/\]\(([^)]+)\)/g, (_, target: string) => `](${posix.join('docs', target)})`);
  return `# okta-telephony-hook

> Express middleware for Okta's telephony inline hook. It delivers Okta's one-time codes by WhatsApp to users who opted in, and by SMS or voice call to all others. Okta gets its response within three seconds.

The guides below are Markdown files of the package. Read these facts first:

- \`app.use(oktaTelephonyHook(options))\` mounts it, before body parsers. \`optionsFrom(process.env)\` of \`okta-telephony-hook/environment\` reads the options from environment variables.
- The entry points are \`okta-telephony-hook\`, \`/channels\`, \`/environment\`, \`/redis\`, \`/testing\` and \`/demo\`.
- \`npx okta-telephony-hook init\` writes a gateway, \`doctor\` checks it, and \`demo\` runs it with emulators and without an account.
- A code is sent once. If the outcome of an attempt is unknown, no other channel follows.
- No log, event, error or response contains a code, a phone number, a login, a name or a secret. Keep it so in your own code around it.
- Tests need no account: \`okta-telephony-hook/testing\` has emulators of Okta and of the providers.
${guides}
## Optional

- [README](README.md): the first page
- [Security policy](SECURITY.md): what must I do before a gateway is on the internet?
- [Changelog](CHANGELOG.md): what changed?
`;
}
