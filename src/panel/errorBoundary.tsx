import * as React from 'react';

/** Keeps what goes wrong in a part of a view from emptying all of it. */
export class ErrorBoundary extends React.Component<
  ErrorBoundary.IProps,
  ErrorBoundary.IState
> {
  /** What is thrown is shown, until there is something else to draw. */
  static getDerivedStateFromError(
    error: unknown
  ): Partial<ErrorBoundary.IState> {
    return { error };
  }

  static getDerivedStateFromProps(
    { shown }: ErrorBoundary.IProps,
    state: ErrorBoundary.IState
  ): Partial<ErrorBoundary.IState> | null {
    return shown === state.shown ? null : { shown, error: null };
  }

  override state: ErrorBoundary.IState = {
    error: null,
    shown: this.props.shown
  };

  override render(): React.ReactNode {
    const { error } = this.state;
    return error === null
      ? this.props.children
      : this.props.fallback(
          error instanceof Error ? error.message : String(error)
        );
  }
}

export namespace ErrorBoundary {
  export interface IProps {
    /** What is drawn: when it is another one, it is tried again. */
    shown: unknown;
    /** What stands there instead, with the error's own words. */
    fallback: (words: string) => React.ReactNode;
    children: React.ReactNode;
  }

  export interface IState {
    error: unknown;
    shown: unknown;
  }
}
