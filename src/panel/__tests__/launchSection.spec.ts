import { StateDB } from '@jupyterlab/statedb';
import { nullTranslator } from '@jupyterlab/translation';

import { cluster, FakeServer, settled, site } from '../../__tests__/fixtures';
import { FormMemory } from '../../formMemory';
import type { ClusterModel } from '../../model';
import type { ILaunchFormProps } from '../formProps';
import { LaunchSection } from '../launchSection';

const trans = nullTranslator.load('hpcdask_ext');

describe('LaunchSection', () => {
  let server: FakeServer;
  let model: ClusterModel;
  let section: LaunchSection;
  let state: StateDB;
  let showPreview: jest.Mock;

  const form = () => section.render()?.props as ILaunchFormProps;
  const WRONG = {
    message: '1 field is wrong',
    errors: [{ field: 'account', message: 'no such account' }]
  };

  function make(): void {
    const memory = new FormMemory(state);
    section = new LaunchSection({ model, memory, trans, showPreview });
  }

  async function start(): Promise<void> {
    model = server.model();
    make();
    await model.ready;
    await settled();
  }

  beforeEach(() => {
    globalThis.ResizeObserver = class {
      observe = () => undefined;
      unobserve = () => undefined;
      disconnect = () => undefined;
    };
    state = new StateDB();
    showPreview = jest.fn();
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
    make();
    await settled();
    expect(section.render()).toBeNull();
    server.release();
    await model.ready;
    await settled();
    expect(form().sites).toEqual([]);
  });

  describe('the preview', () => {
    const PREVIEW = {
      valid: true,
      errors: [],
      totals: null,
      scripts: [],
      estimated_start: null,
      note: ''
    };

    function answer(part: object): void {
      const body = { ...PREVIEW, ...part };
      server.answer('POST', 'api/clusters/preview', 200, body);
    }

    const posted = () =>
      server.asked.filter(one => one.method === 'POST').map(one => one.path);

    it('is shown, and launches what was previewed if that is wanted', async () => {
      await start();
      server.hold('POST', 'api/clusters/preview');
      answer({});
      server.answer('POST', 'api/clusters', 201, cluster());
      showPreview.mockResolvedValue(true);
      form().onPreview();
      expect(form().isPreviewing).toBe(true);
      form().onPreview();
      form().onSite('b');
      server.release();
      await settled();
      expect(form().isPreviewing).toBe(false);
      expect(showPreview).toHaveBeenCalledWith(
        PREVIEW,
        server.sites[0],
        expect.objectContaining({ site: 'a' })
      );
      expect(posted()).toEqual(['api/clusters/preview', 'api/clusters']);
      const [previewed, launched] = server.asked
        .filter(one => one.method === 'POST')
        .map(one => one.body);
      expect(previewed).toMatchObject({ site: 'a', size: 'small' });
      expect(launched).toEqual(previewed);
    });

    it('is told what stands in the form', async () => {
      await start();
      answer({});
      form().onChange({ scaling: 'adaptive' });
      form().onPreview();
      await settled();
      const shown = showPreview.mock.calls.map(one => one[2].scaling);
      expect(shown).toEqual(['adaptive']);
    });

    it('launches nothing by itself', async () => {
      await start();
      answer({});
      showPreview.mockResolvedValue(false);
      form().onPreview();
      await settled();
      expect(posted()).toEqual(['api/clusters/preview']);
    });

    it('is not shown where something is wrong, which is said at its field', async () => {
      await start();
      answer({ valid: false, errors: WRONG.errors });
      form().onPreview();
      await settled();
      expect(showPreview).not.toHaveBeenCalled();
      expect(form().errors).toEqual(WRONG.errors);
      expect(form().isPreviewing).toBe(false);
    });

    it('may be refused', async () => {
      await start();
      server.answer('POST', 'api/clusters/preview', 504, { message: 'late' });
      form().onPreview();
      await settled();
      expect(form().message).toBe('late');
      expect(form().isPreviewing).toBe(false);
    });
  });

  it('remembers at which site all fields are shown', async () => {
    await start();
    form().onMore(true);
    expect(form().isMoreOpen).toBe(true);
    form().onSite('b');
    expect(form().isMoreOpen).toBe(false);
    section.dispose();
    model.dispose();
    await start();
    form().onSite('a');
    expect(form().isMoreOpen).toBe(true);
  });

  it('reads how full the queues are when somebody comes, but not often', async () => {
    await start();
    const now = Date.now();
    form().onVisit();
    await settled();
    expect(server.count('GET', 'api/sites')).toBe(1);
    const clock = jest.spyOn(Date, 'now').mockReturnValue(now + 61_000);
    form().onVisit();
    form().onVisit();
    await settled();
    expect(server.count('GET', 'api/sites')).toBe(2);
    server.answer('GET', 'api/sites', 502, { message: 'Bad Gateway' });
    clock.mockReturnValue(now + 130_000);
    form().onVisit();
    await settled();
    expect(form().sitesProblem?.message).toBe('Bad Gateway');
    expect(form().values.site).toBe('a');
    clock.mockRestore();
  });

  it('asks nobody about queues where there is this machine only', async () => {
    server.sites = [site({ batch_system: 'local' })];
    await start();
    const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 1e6);
    form().onVisit();
    await settled();
    expect(server.count('GET', 'api/sites')).toBe(1);
    clock.mockRestore();
  });
});
