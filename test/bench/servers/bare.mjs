import { performance } from 'node:perf_hooks';
import express from 'express';
import { ACCOUNT, logSent, serve, successFor } from './measured.mjs';
import { sendCode } from './two-calls.mjs';

/** Only the same two calls: no middleware can be much faster. */
const app = express();
app.post('/okta/telephony', express.json(), async (req, res) => {
  if (req.headers.authorization !== ACCOUNT.hookSecret) {
    res.sendStatus(401);
    return;
  }
  const startedAt = performance.now();
  const { sid, isOptedIn } = await sendCode(req.body.data);
  res.json(successFor(sid, isOptedIn));
  logSent(req.body, sid, isOptedIn, startedAt);
});
serve(app);
