import { OPTION_NAMES, VARIABLES } from '#lib/options/variables.js';
import { entryDocsOf } from './tsdoc.js';

/** The page of the environment variables, from the comments of their rules. */
export function environmentPage(): string {
  const docs = new Map([
    ...entryDocsOf('options/variables.ts', 'OPTION_RULES'),
    ...entryDocsOf('options/variables.ts', 'RULES'),
  ]);
  const list = (names: readonly string[]): string =>
    names.map((name) => `- \`${name}\`: ${sentenceOf(name)}`).join('\n');
  const sentenceOf = (name: string): string => {
    const doc = docs.get(name);
    if (doc === undefined || doc === '')
      throw new Error(`${name} has no comment in lib/options/variables.ts`);
    return doc;
  };
  const others = VARIABLES.filter((name) => !OPTION_NAMES.includes(name));
  return `# Environment variables

\`optionsFrom(process.env)\` makes [options](options.md) from these variables. The [command line](cli.md) reads them by the same rules.

\`\`\`ts
import express from 'express';
import { oktaTelephonyHook } from 'okta-telephony-hook';
import { optionsFrom } from 'okta-telephony-hook/environment';

express()
  .use(oktaTelephonyHook(optionsFrom(process.env))) // or { ...optionsFrom(process.env), deadlineMs: 2000 }
  .listen(3000);
\`\`\`

- At least one sender of any provider is required.
- An empty variable counts as absent. A missing variable means the default of its option.
- Missing or wrong variables throw one \`ConfigurationError\`. Its \`problems\` names each variable and no value.
- A value with quotes, spaces or invisible characters around it is refused. \`docker --env-file\` and \`kubectl --from-env-file\` keep such characters.
- If a channel has several providers, Twilio's sender comes first, then Verify, then Vonage.

## Variables for options

${list(OPTION_NAMES)}

## Variables for the command line

Only the command line reads these:

${list(others)}

## Your own variables

\`okta-telephony-hook/environment\` also exports:

- \`OPTION_VARIABLES\`: the names of the variables for options.
- \`variablesFrom(env, names)\`: reads your variables by the same rules.
- \`oktaCredentialFrom(env, 'OKTA_PAGE_')\`: another Okta credential, such as \`OKTA_PAGE_API_TOKEN\` beside \`OKTA_ORG_URL\`.
`;
}
