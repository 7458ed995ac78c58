import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { warningIcon } from '../icons';
import type { IClusterCardProps } from './cardParts';

/**
 * The warnings in one line, which opens. They stand last: however long they
 * are, numbers and buttons stay where they are.
 */
export function Warnings(props: IClusterCardProps): JSX.Element | null {
  const { cluster, trans, areWarningsOpen: isOpen } = props;
  const { id, warnings } = cluster;
  const list = React.useId();
  const line = React.useRef<HTMLButtonElement>(null);
  const isNew = React.useRef(false);
  React.useEffect(() => {
    if (isOpen && isNew.current) {
      // A card higher than the list is shown from its beginning.
      line.current?.closest('li')?.scrollIntoView({ block: 'nearest' });
    }
    isNew.current = false;
  }, [isOpen]);
  if (!warnings.length) {
    return null;
  }
  const caret = isOpen ? caretDownIcon : caretRightIcon;
  return (
    <div className="jp-HPCDask-card-warnings">
      <button
        ref={line}
        type="button"
        aria-expanded={isOpen}
        aria-controls={isOpen ? list : undefined}
        onClick={event => {
          event.stopPropagation();
          isNew.current = true;
          props.actions.showWarnings(id, !isOpen);
        }}
        onDoubleClick={event => event.stopPropagation()}
      >
        <span role="img" aria-label={trans.__('Warning')}>
          <warningIcon.react tag={null} width="14px" height="14px" />
        </span>
        <Line {...props} />
        <caret.react tag="span" width="14px" height="14px" />
      </button>
      {isOpen && (
        <ul id={list} className="jp-HPCDask-card-warningTexts">
          {warnings.map((warning, index) => (
            <li key={index}>{warning}</li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** As much of the first warning as there is room for, and how many more. */
function Line(props: IClusterCardProps): JSX.Element {
  const { cluster, trans, areWarningsOpen } = props;
  const { length } = cluster.warnings;
  if (areWarningsOpen) {
    return (
      <span className="jp-HPCDask-card-warningLine">
        {trans._n('%1 warning', '%1 warnings', length)}
      </span>
    );
  }
  return (
    <>
      <span className="jp-HPCDask-card-warningLine">{cluster.warnings[0]}</span>
      {length > 1 && (
        <span className="jp-HPCDask-card-warningCount">
          {trans.__('and %1 more', length - 1)}
        </span>
      )}
    </>
  );
}
