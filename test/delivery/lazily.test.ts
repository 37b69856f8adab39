import { expect } from 'chai';
import { lazily } from '#lib/delivery/lazily.js';

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

  it('is not tried again where it could not be loaded, which everybody is told who asks, and nobody else', async () => {
    let loads = 0;
    const load = lazily(() => {
      loads += 1;
      return Promise.reject(new Error('not there'));
    });
    load.ahead();
    for (let count = 0; count < 2; count += 1) {
      const failure: unknown = await Promise.resolve(load()).catch((error: unknown) => error);
      expect(failure).to.be.an('error').with.property('message', 'not there');
    }
    expect(loads).to.equal(1);
  });
});
