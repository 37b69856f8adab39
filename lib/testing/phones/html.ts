/** The page before its script has filled it; it says who may be looking, which is not always this machine alone. */
export function phonesHtml(isOpenToOthers: boolean): string {
  const reach = isOpenToOthers
    ? 'Nothing reaches a real phone. Whoever reaches this address sees the codes.'
    : 'Nothing leaves this machine.';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Phones – Okta telephony hook demo</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="assets/main.css">
<script type="module" src="assets/main.js"></script>
</head>
<body>
<a class="skip" href="#phones">Skip to the phones</a>
<header>
<h1>Phones</h1>
<p>Everything here is emulated: Okta, Twilio, and the people. ${reach}</p>
<nav id="links" aria-label="Other pages" hidden></nav>
</header>
<p id="connection" role="status"></p>
<main id="main">
<section id="asked" hidden></section>
<div id="phones" tabindex="-1"></div>
<section id="faults" aria-labelledby="faults-title"></section>
<section id="sandbox" aria-labelledby="sandbox-title"></section>
</main>
<noscript><p>This page needs JavaScript, of its own and no other.</p></noscript>
</body>
</html>
`;
}
