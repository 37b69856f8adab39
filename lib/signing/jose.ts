import { lazily } from '../delivery/lazily.js';

/** Signs and checks JWTs; needed by those only whose options speak of OAuth 2.0. */
export const loadJose = lazily(() => import('jose'));
