import { Buffer } from 'node:buffer';
import { ACCOUNT, serve, successFor } from './measured.mjs';
import { sendCode } from './two-calls.mjs';

/** The same two calls on `node:http` alone, without Express: the limit of any server on Node. */
async function answer(res, text) {
  const { sid, isOptedIn } = await sendCode(JSON.parse(text).data);
  const body = JSON.stringify(successFor(sid, isOptedIn));
  res.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  res.end(body);
}

serve((req, res) => {
  if (req.headers.authorization !== ACCOUNT.hookSecret) {
    res.writeHead(401).end();
    return;
  }
  let text = '';
  req.setEncoding('utf8');
  req.on('data', (chunk) => {
    text += chunk;
  });
  req.on('end', () => answer(res, text));
});
