import { newGroup } from '../groupValues';
import { defaultValues, LaunchValues } from '../launch';
import { afterChange } from '../refusal';
import { site } from './fixtures';

const centre = site();
const first = defaultValues(centre);
const group = newGroup(centre, first);
const before: LaunchValues = {
  ...first,
  options: { qos: 'normal', tag: 'a' },
  groups: [group, { ...group, name: 'b' }]
};

function left(change: Partial<LaunchValues>, ...fields: string[]): string[] {
  const errors = fields.map(field => ({ field, message: 'wrong' }));
  const refusal = { errors, message: '' };
  return afterChange(refusal, before, change).errors.map(one => one.field);
}

it.each<[Partial<LaunchValues>, string[]]>([
  [{ account: 'x' }, ['options.qos', 'size.cores', 'scaling.maximum']],
  [{ cores: '3' }, ['account', 'options.qos', 'scaling.maximum']],
  [{ workers: '3' }, ['account', 'options.qos', 'size.cores']],
  [{ scaling: 'adaptive' }, ['account', 'options.qos']],
  [{ size: 'large' }, ['account', 'options.qos']]
])('after %p, %p are still wrong', (change, fields) => {
  const all = ['account', 'options.qos', 'size.cores', 'scaling.maximum'];
  expect(left(change, ...all).sort()).toEqual([...fields].sort());
});

it('mending one option leaves the others wrong', () => {
  const change = { options: { ...before.options, qos: 'debug' } };
  expect(left(change, 'options.qos', 'options.tag', 'options')).toEqual([
    'options.tag'
  ]);
});

it('mending one group leaves the others wrong', () => {
  const groups = [{ ...before.groups[0], workers: '9' }, before.groups[1]];
  const all = [
    'groups.0.scaling.workers',
    'groups.0.queue',
    'groups.1.scaling.workers'
  ];
  expect(left({ groups }, ...all)).toEqual(all.slice(1));
});

it('names of groups depend on each other', () => {
  const groups = [{ ...before.groups[0], name: 'c' }, before.groups[1]];
  expect(left({ groups }, 'groups.1.name')).toEqual([]);
});

it('without a group, the numbers of the others are not the same', () => {
  expect(left({ groups: [group] }, 'groups.0.queue', 'groups')).toEqual([]);
});
