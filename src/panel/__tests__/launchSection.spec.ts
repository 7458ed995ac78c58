import { StateDB } from '@jupyterlab/statedb';
import { nullTranslator } from '@jupyterlab/translation';

import { cluster, FakeServer, settled, site } from '../../__tests__/fixtures';
import type { ClusterModel } from '../../model';
import type { ILaunchFormProps } from '../launchForm';
import { LaunchSection } from '../launchSection';

const trans = nullTranslator.load('hpcdask_ext');

describe('LaunchSection', () => {
  let server: FakeServer;
  let model: ClusterModel;
  let section: LaunchSection;

  const form = () => section.render()?.props as ILaunchFormProps;
  const WRONG = {
    message: '1 field is wrong',
    errors: [{ field: 'account', message: 'no such account' }]
  };

  async function start(): Promise<void> {
    model = server.model();
    section = new LaunchSection({ model, state: new StateDB(), trans });
    await model.ready;
    await settled();
  }

  beforeEach(() => {
    globalThis.ResizeObserver = class {
      observe = () => undefined;
      unobserve = () => undefined;
      disconnect = () => undefined;
    };
    server = new FakeServer();
    server.sites = [site({ name: 'a' }), site({ name: 'b' })];
  });

  afterEach(() => {
    server.release();
    section.dispose();
    model.dispose();
  });

  it('does not show what is wrong at another site', async () => {
    await start();
    server.hold('POST');
    server.answer('POST', 'api/clusters', 422, WRONG);
    form().onLaunch();
    form().onSite('b');
    server.release();
    await settled();
    expect(form().values.site).toBe('b');
    expect(form().errors).toEqual([]);
    form().onSite('a');
    expect(form().errors).toEqual(WRONG.errors);
    form().onChange({ account: 'climate' });
    expect(form().errors).toEqual([]);
  });

  it('does not show a message of another site', async () => {
    await start();
    server.hold('POST');
    server.answer('POST', 'api/clusters', 502, { message: 'sbatch: error' });
    form().onLaunch();
    form().onSite('b');
    server.release();
    await settled();
    expect(form().message).toBe('');
    form().onSite('a');
    expect(form().message).toBe('sbatch: error');
    form().onLaunch();
    expect(form().message).toBe('');
  });

  it('drops the name of what was launched, not one typed at another site', async () => {
    await start();
    server.hold('POST');
    server.answer('POST', 'api/clusters', 201, cluster());
    form().onChange({ name: 'era5' });
    form().onLaunch();
    form().onSite('b');
    form().onChange({ name: 'next' });
    server.release();
    await settled();
    expect(form().values.name).toBe('next');
    form().onSite('a');
    expect(form().values.name).toBe('');
  });

  it('says why there are no sites, and asks again', async () => {
    server.answer('GET', 'api/sites', 502, { message: 'Bad Gateway' });
    await start();
    expect(form().sitesProblem?.message).toBe('Bad Gateway');
    form().onRetry();
    await settled();
    expect(form().sitesProblem).toBeNull();
    expect(form().values.site).toBe('a');
  });

  it('says nothing until it is known whether there is a site', async () => {
    server.sites = [];
    server.hold('GET');
    model = server.model();
    section = new LaunchSection({ model, state: null, trans });
    await settled();
    expect(section.render()).toBeNull();
    server.release();
    await model.ready;
    await settled();
    expect(form().sites).toEqual([]);
  });
});
