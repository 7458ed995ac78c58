import { nullTranslator } from '@jupyterlab/translation';

import type { IImageField, ISiteOption } from '../api/types';
import { defaultValues } from '../launch';
import { typedErrors } from '../typedErrors';
import { site } from './fixtures';

const trans = nullTranslator.load('hpcdask_ext');

const IMAGE: IImageField = {
  title: '',
  description: '',
  default: null,
  pattern: 'docker:[a-z/]+',
  choices: []
};

const TAG: ISiteOption = {
  name: 'tag',
  title: 'Tag',
  description: '',
  type: 'string',
  default: null,
  pattern: '[a-z]+'
};

function wrong(image: string, part: Partial<IImageField> = {}): string[] {
  const environment = { name: 'c', title: 'C', kind: 'site' };
  const environments = [{ ...environment, image: { ...IMAGE, ...part } }];
  const centre = site({ environments, options: [TAG] });
  const values = { ...defaultValues(centre), environment: 'c', image };
  return typedErrors(centre, values, trans).map(one => one.field);
}

it.each<[string, Partial<IImageField>, string[]]>([
  ['docker:pangeo/base', {}, []],
  ['docker:pangeo/base; rm', {}, ['image']],
  ['', {}, []],
  ['anything', { pattern: null }, []],
  ['mine', { choices: ['mine'] }, []],
  // Python's, and nothing that JavaScript knows: the server will say.
  ['anything', { pattern: '(?P<name>x)' }, []],
  ['anything', { pattern: '\\Ax\\Z' }, []]
])('the image %p with %p: %p', (image, part, fields) => {
  expect(wrong(image, part)).toEqual(fields);
});

it('looks at texts among the options of the site, and says what is wrong', () => {
  const centre = site({ options: [TAG] });
  const values = { ...defaultValues(centre), options: { tag: 'A1' } };
  expect(typedErrors(centre, values, trans)).toEqual([
    { field: 'options.tag', message: '“A1” does not match [a-z]+' }
  ]);
});
