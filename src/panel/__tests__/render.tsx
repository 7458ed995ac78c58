import { nullTranslator } from '@jupyterlab/translation';
import * as React from 'react';
import { createRoot, Root } from 'react-dom/client';
import { Simulate } from 'react-dom/test-utils';

const { act } = React;

export const trans = nullTranslator.load('hpcdask_ext');

(
  globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }
).IS_REACT_ACT_ENVIRONMENT = true;

// Here nothing has a place; newer browsers return a promise.
Element.prototype.scrollIntoView ??= (() => Promise.resolve()) as never;

/** A view in a page of its own. */
export class Page {
  constructor() {
    this.node = document.body.appendChild(document.createElement('div'));
    this._root = createRoot(this.node);
  }

  readonly node: HTMLElement;

  render(view: React.ReactElement): void {
    act(() => this._root.render(view));
  }

  close(): void {
    act(() => this._root.unmount());
    this.node.remove();
  }

  get<T extends HTMLElement>(selector: string): T {
    const found = this.node.querySelector<T>(selector);
    if (!found) {
      throw new Error(`no ${selector} in ${this.node.innerHTML}`);
    }
    return found;
  }

  all(selector: string): HTMLElement[] {
    return [...this.node.querySelectorAll<HTMLElement>(selector)];
  }

  /** The control that a label names. */
  field(label: string): HTMLInputElement {
    const found = this.all('label').find(one => one.textContent === label);
    return this.get(`[id="${(found as HTMLLabelElement)?.htmlFor}"]`);
  }

  button(name: string): HTMLButtonElement {
    const found = this.all('button').find(
      one => (one.getAttribute('aria-label') ?? one.textContent) === name
    );
    if (!found) {
      throw new Error(`no button ${name} in ${this.node.innerHTML}`);
    }
    return found as HTMLButtonElement;
  }

  click(node: HTMLElement): void {
    act(() => node.click());
  }

  type(node: HTMLInputElement, value: string): void {
    act(() => {
      Simulate.change(node, { target: { value } } as never);
    });
  }

  choose(node: HTMLElement, value: string): void {
    act(() => {
      Simulate.change(node, { target: { value } } as never);
    });
  }

  focus(node: HTMLElement): void {
    act(() => {
      Simulate.focus(node);
    });
  }

  /** What describes a control, besides its label. */
  described(node: HTMLElement): string {
    const ids = node.getAttribute('aria-describedby')?.split(' ') ?? [];
    return ids.map(id => this.get(`[id="${id}"]`).textContent).join('\n');
  }

  press(node: HTMLElement, key: string): void {
    act(() => {
      node.dispatchEvent(
        new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true })
      );
    });
  }

  /** Let a fake clock go on. */
  tick(milliseconds: number): void {
    act(() => {
      jest.advanceTimersByTime(milliseconds);
    });
  }

  private readonly _root: Root;
}
