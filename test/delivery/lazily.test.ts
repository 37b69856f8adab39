import { expect } from 'chai';
import { lazily } from '../../lib/delivery/lazily.js';

describe('a library that is loaded lazily', () => {
  const library = { name: 'a library' };

  it('is not loaded before somebody asks', () => {
    let loads = 0;
    lazily(() => {
      loads += 1;
      return Promise.resolve(library);
    });
    expect(loads).to.equal(0);
  });

  it('is loaded once for all who ask meanwhile, and given at once from then on', async () => {
    let loads = 0;
    const load = lazily(() => {
      loads += 1;
      return Promise.resolve(library);
    });
    const [first, second] = [load(), load()];
    expect(first).to.be.instanceOf(Promise);
    expect(await Promise.all([first, second])).to.deep.equal([library, library]);
    expect(load()).to.equal(library);
    expect(loads).to.equal(1);
  });

  it('is there for those who ask later, where loading has begun ahead', async () => {
    const load = lazily(() => Promise.resolve(library));
    load.ahead();
    await load();
    expect(load()).to.equal(library);
  });

  it('is tried again by the next who asks after it could not be loaded, and fails nobody who does not ask', async () => {
    let isThere = false;
    const load = lazily(() => (isThere ? Promise.resolve(library) : Promise.reject(new Error('not there'))));
    load.ahead();
    const failure: unknown = await Promise.resolve(load()).catch((error: unknown) => error);
    expect(failure).to.be.an('error').with.property('message', 'not there');
    isThere = true;
    expect(await load()).to.equal(library);
  });
});
