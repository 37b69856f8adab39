import { byId } from '../../page/browser/dom.js';

byId('main', HTMLElement).textContent = 'The console';
