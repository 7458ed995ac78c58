import * as React from 'react';

/** A small button with a word on it. */
export function SmallButton(props: {
  label: string;
  title?: string;
  type?: 'button' | 'submit';
  className?: string;
  onClick?: () => void;
}): JSX.Element {
  return (
    <button
      type={props.type ?? 'button'}
      className={`jp-mod-styled jp-HPCDask-smallButton ${props.className ?? ''}`}
      title={props.title}
      onClick={event => {
        event.stopPropagation();
        props.onClick?.();
      }}
      onDoubleClick={event => event.stopPropagation()}
    >
      {props.label}
    </button>
  );
}
