import { render } from 'preact';
import { PhonesPage } from './phones-page.js';
import { readAbout } from './server.js';

const place = document.getElementById('page');
if (place === null) throw new Error('the document has no place for the page');
render(<PhonesPage about={await readAbout()} />, place);
