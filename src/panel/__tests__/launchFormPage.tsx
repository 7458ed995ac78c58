import * as React from 'react';

import { site } from '../../__tests__/fixtures';
import { defaultValues, LaunchValues } from '../../launch';
import type { ILaunchFormProps } from '../formProps';
import { LaunchForm } from '../launchForm';
import { Page, trans } from './render';

/** A launch form in a page, in which what is typed stands. */
export class LaunchFormPage extends Page {
  constructor(private readonly _site = site()) {
    super();
    this.values = defaultValues(_site);
    this.show();
  }

  values: LaunchValues;

  show(part: Partial<ILaunchFormProps> = {}): void {
    this._part = { ...this._part, ...part };
    const nothing = () => undefined;
    this.render(
      <LaunchForm
        sites={[this._site]}
        problems={[]}
        sitesProblem={null}
        values={this.values}
        errors={[]}
        message=""
        isMoreOpen={true}
        isPreviewing={false}
        trans={trans}
        onDrawn={nothing}
        onRetry={nothing}
        onSite={nothing}
        onChange={change => this.change(change)}
        onMore={nothing}
        onVisit={nothing}
        onPreview={nothing}
        onLaunch={nothing}
        {...this._part}
      />
    );
  }

  change(change: Partial<LaunchValues>): void {
    this.values = { ...this.values, ...change };
    this.show();
  }

  /** What is said to be wrong, by field. */
  get errors(): { [field: string]: string } {
    const fields = this.all('[data-field]').flatMap(node => {
      const error = node.querySelector(':scope > .jp-HPCDask-fieldError');
      return error ? [[node.dataset.field!, error.textContent!]] : [];
    });
    return Object.fromEntries(fields);
  }

  /** What is said to be wrong and belongs to no field. */
  get rest(): string {
    return this.get('.jp-HPCDask-launchForm-footer').textContent!.replace(
      'Launch clusterPreview',
      ''
    );
  }

  get labels(): string[] {
    return this.all('form label[for]').map(one => one.textContent!);
  }

  get total(): string {
    return this.get('output').textContent!;
  }

  private _part: Partial<ILaunchFormProps> = {};
}
