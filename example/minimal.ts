import express from 'express';
import { oktaTelephonyHook } from 'okta-telephony-hook';
import { optionsFrom } from 'okta-telephony-hook/environment';

/** Okta's telephony hook in an application of Express: with the variables of docs/reference/environment.md, this is all it takes. */
const hook = oktaTelephonyHook(optionsFrom(process.env));
const app = express();
// Before body parsers and sessions: the hook reads the body itself, once it knows that Okta calls.
app.use(hook);
app.listen(process.env['PORT'] ?? 3000);
await hook.ready();
