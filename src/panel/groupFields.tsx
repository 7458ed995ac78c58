import { addIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { GroupValues, groupsOf, newGroup } from '../groupValues';
import { errorsOf, FieldErrors } from './controls';
import type { IPartProps } from './formProps';
import { GroupField } from './groupField';

/** The workers of other kinds, and a button for more of them. */
export function GroupFields(props: IPartProps): JSX.Element {
  const { site, values, trans, onChange } = props;
  const groups = groupsOf(site, values);
  const button = React.useRef<HTMLButtonElement>(null);
  const [added, setAdded] = React.useState(-1);
  const change = (number: number, part: Partial<GroupValues>) =>
    onChange({
      groups: groups.map((one, at) =>
        at === number ? { ...one, ...part } : one
      )
    });
  const add = () => {
    setAdded(groups.length);
    onChange({ groups: [...groups, newGroup(site, values)] });
  };
  const remove = (number: number) => {
    setAdded(-1);
    onChange({ groups: groups.filter((_, at) => at !== number) });
    button.current?.focus();
  };
  return (
    <div className="jp-HPCDask-groupFields" data-field="groups">
      {groups.map((group, number) => (
        <GroupField
          key={number}
          {...props}
          values={group}
          prefix={`groups.${number}.`}
          isNew={number === added}
          onChange={part => change(number, part)}
          onRemove={() => remove(number)}
        />
      ))}
      <FieldErrors errors={errorsOf(props.errors, 'groups')} />
      <button
        ref={button}
        type="button"
        className="jp-mod-styled jp-HPCDask-smallButton jp-HPCDask-groupFields-add"
        title={trans.__(
          'For example a few with GPUs, in a queue of their own, beside the others'
        )}
        onClick={add}
      >
        <addIcon.react tag="span" width="14px" height="14px" />
        {trans.__('Add workers of another kind')}
      </button>
    </div>
  );
}
