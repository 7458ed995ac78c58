import type { Kernel } from '@jupyterlab/services';
import { nullTranslator } from '@jupyterlab/translation';

import { clusterOf, KernelSilent } from '../kernelCluster';

const trans = nullTranslator.load('hpcdask_ext');

describe('a kernel that is asked for its cluster', () => {
  let asked: { [name: string]: unknown }[];

  /** A kernel whose reply has this content, or never comes. */
  function kernel(content: object | null): Kernel.IKernelConnection {
    asked = [];
    return {
      requestExecute: (request: { [name: string]: unknown }) => {
        asked.push(request);
        const done = content
          ? Promise.resolve({ content })
          : Promise.reject(new Error('canceled'));
        return { done };
      }
    } as never;
  }

  const telling = (found: object) =>
    kernel({
      status: 'ok',
      user_expressions: {
        cluster: { status: 'ok', data: { 'application/json': found } }
      }
    });

  it('runs nothing that is seen, or stays', async () => {
    await clusterOf(telling({}), trans);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({
      silent: true,
      store_history: false,
      allow_stdin: false
    });
    const [expression] = Object.values(asked[0].user_expressions as object);
    expect(expression).toContain('globals().pop("_hpcdask_cluster")');
    expect(asked[0].code).toContain('def _hpcdask_cluster():');
    expect(asked[0].code).not.toMatch(/^(from|import) /m);
    expect(asked[0].code).not.toMatch(/import (dask|distributed)/);
  });

  it('tells what to adopt, without what is not known', async () => {
    const address = 'tcp://127.0.0.1:4000';
    const nothing = { dashboard: null, name: null, tls: {} };
    const found = await clusterOf(telling({ address, ...nothing }), trans);
    expect(found).toEqual({ address });
    const all = {
      address: 'tls://127.0.0.1:4000',
      dashboard: 'http://127.0.0.1:4001',
      name: 'LocalCluster',
      tls: { ca: '/home/alice/ca.pem' }
    };
    expect(await clusterOf(telling(all), trans)).toEqual(all);
  });

  it('may have none', async () => {
    expect(await clusterOf(telling({}), trans)).toBeNull();
  });

  it.each<[string, object | null, string]>([
    ['was interrupted', { status: 'aborted' }, 'interrupted'],
    ['is gone', null, 'interrupted'],
    [
      'cannot run that',
      {
        status: 'ok',
        user_expressions: {
          cluster: { status: 'error', evalue: "No module named 'IPython'" }
        }
      },
      "No module named 'IPython'"
    ]
  ])('says so if it %s', async (_, content, text) => {
    const found = clusterOf(kernel(content), trans);
    await expect(found).rejects.toBeInstanceOf(KernelSilent);
    await expect(found).rejects.toThrow(text);
  });
});
