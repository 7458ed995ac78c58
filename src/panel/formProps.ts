import type { TranslationBundle } from '@jupyterlab/translation';

import type { IFieldError, IProblem, ISite } from '../api/types';
import type { LaunchValues } from '../launch';
import type { WorkerValues } from '../workerValues';

export interface ILaunchFormProps {
  sites: readonly ISite[];
  /** The site files that could not be read. */
  problems: readonly IProblem[];
  /** Why the sites could not be read at all, if so. */
  sitesProblem: Error | null;
  values: LaunchValues;
  /** What the server said is wrong, field by field. */
  errors: readonly IFieldError[];
  /** What the server said otherwise. */
  message: string;
  /** Whether all fields are shown. */
  isMoreOpen: boolean;
  /** Whether the answer to a preview is under way. */
  isPreviewing: boolean;
  trans: TranslationBundle;
  /** The form stands in the page. */
  onDrawn: () => void;
  /** Ask for the sites again. */
  onRetry: () => void;
  onSite: (name: string) => void;
  onChange: (change: Partial<LaunchValues>) => void;
  onMore: (isOpen: boolean) => void;
  /** The pointer or the focus comes to the form. */
  onVisit: () => void;
  onPreview: () => void;
  onLaunch: () => void;
}

/** What every part of the launch form gets. */
export interface IPartProps {
  site: ISite;
  values: LaunchValues;
  errors: readonly IFieldError[];
  trans: TranslationBundle;
  onChange: (change: Partial<LaunchValues>) => void;
}

/** What the parts get that ask for workers, of whichever kind. */
export interface IWorkersProps<Values extends WorkerValues = WorkerValues> {
  site: ISite;
  values: Values;
  errors: readonly IFieldError[];
  /** What the names of the fields begin with. */
  prefix: string;
  trans: TranslationBundle;
  onChange: (change: Partial<Values>) => void;
}
