import { render } from 'preact';
import { ConsolePage } from './console-page.js';

const place = document.getElementById('page');
if (place === null) throw new Error('the document has no place for the page');
render(<ConsolePage />, place);
