import { VARIABLES, variablesWhere, type VariableName } from '#lib/options/variables.js';
import { entryDocsOf } from './tsdoc.js';

/** The page of the environment variables, from the comments of their rules. */
export function environmentPage(): string {
  const docs = entryDocsOf('options/variables.ts', 'TABLE');
  const list = (isOption: boolean): string =>
    variablesWhere(({ option }) => (option !== undefined) === isOption)
      .map((name) => `- \`${name}\`: ${sentenceOf(name)}`)
      .join('\n');
  const sentenceOf = (name: VariableName): string => {
    const doc = docs.get(name) ?? '';
    if (doc === '') throw new Error(`${name} has no comment in lib/options/variables.ts`);
    const { option } = VARIABLES[name];
    return option === undefined ? doc : `${doc} Option: \`${option}\`.`;
  };
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
- If a channel has several providers, Twilio's sender comes first, then Verify, then Vonage, then Azure, then AWS, then Meta. [\`SMS_PROVIDERS\`](../deliver/by-country.md#from-environment-variables) and its neighbours give another order, and lists by country.

## Variables for options

An option of a function, such as \`vonageChannel.apiKey\`, makes an entry of \`channels\` or \`state\`.

${list(true)}

## Variables for the command line

Only the command line reads these:

${list(false)}

## Your own variables

\`okta-telephony-hook/environment\` also exports:

- \`OPTION_VARIABLES\`: the names of the variables for options.
- \`variablesFrom(env, names)\`: reads your variables by the same rules.
- \`oktaCredentialFrom(env, 'OKTA_PAGE_')\`: another Okta credential, such as \`OKTA_PAGE_API_TOKEN\` beside \`OKTA_ORG_URL\`.
`;
}
