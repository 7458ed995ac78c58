import { mkdirSync, rmSync, writeFileSync } from 'fs';
import { join } from 'path';

/** Where the server finds site files; it looks whenever it is asked. */
const FOLDER = join(process.env.HPCDASK_UI_HOME!, 'config/hpcdask/sites.d');

/** A site on this machine with all that a form can ask for. */
const CENTRE = {
  name: 'centre',
  title: 'Example centre',
  batch_system: 'local',
  queues: [
    {
      name: 'regular',
      title: 'Regular',
      limits: { workers: 8, cores: 4, memory: '8 GiB', walltime: '04:00:00' }
    },
    { name: 'gpu', title: 'GPU nodes', gpus: 4 },
    { name: 'debug', title: 'Debug' }
  ],
  sizes: [
    {
      name: 'small',
      title: 'Small',
      workers: 2,
      cores: 1,
      memory: '512 MiB',
      walltime: '01:00:00'
    }
  ],
  environments: [
    {
      name: 'container',
      title: 'Container',
      argv: ['/usr/bin/env', 'HPCDASK_UI_IMAGE={image}', 'python'],
      image: { title: 'Image', default: 'base:1', pattern: 'base:[0-9]+' }
    }
  ],
  accounts: ['science', 'climate'],
  options: [
    {
      name: 'exclusive',
      title: 'Whole nodes',
      type: 'boolean',
      default: false
    }
  ]
};

/** Describe a site, instead of this machine alone, until `forgetSites`. */
export function describeSite(): void {
  writeSite(CENTRE);
}

let count = 0;

/**
 * The same with a name that no other test has used: the form remembers nothing
 * of it.
 */
export function describeNewSite(): void {
  forgetSites();
  count += 1;
  writeSite({ ...CENTRE, name: `centre${count}` });
}

/** Describe a site of any kind. */
export function writeSite(site: { name: string }): void {
  mkdirSync(FOLDER, { recursive: true });
  // What is JSON is YAML too.
  writeFileSync(join(FOLDER, `${site.name}.yaml`), JSON.stringify(site));
}

export function forgetSites(): void {
  rmSync(FOLDER, { recursive: true, force: true });
}
