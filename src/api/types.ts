/**
 * What the server speaks: docs/reference/rest.md, in TypeScript.
 *
 * Memory is in bytes, times are ISO 8601 in UTC, walltimes are `HH:MM:SS`.
 */

export type ClusterState =
  | 'submitting'
  | 'pending'
  | 'starting'
  | 'running'
  | 'stopping'
  | 'stopped'
  | 'failed';

export interface ILimits {
  workers?: number | null;
  cores?: number | null;
  memory?: number | null;
  walltime?: string | null;
  nodes?: number | null;
}

/** How full a queue is now; what the batch system does not tell is `null`. */
export interface ILoad {
  open: boolean;
  /** The batch system's own word for a queue that is not open. */
  note: string;
  nodes: number | null;
  free_nodes: number | null;
  free_cores: number | null;
  running_jobs: number | null;
  pending_jobs: number | null;
}

export interface IQueue {
  name: string;
  title: string;
  limits: ILimits;
  /** GPUs of one node. */
  gpus: number | null;
  load: ILoad | null;
}

export interface ISize {
  name: string;
  title: string;
  workers: number;
  cores: number;
  memory: number;
  /** Per worker, as cores and memory are. */
  gpus: number;
  workers_per_job: number;
  walltime: string | null;
}

/** The container image of an environment, as far as a user may choose it. */
export interface IImageField {
  title: string;
  description: string;
  /** The image if none is chosen. */
  default: string | null;
  /** What an image must match as a whole, a regular expression, or be a choice. */
  pattern: string | null;
  choices: string[];
}

export interface IEnvironment {
  name: string;
  title: string;
  kind: string;
  image: IImageField | null;
}

export type OptionValue = string | number | boolean;

export interface ISiteOption {
  name: string;
  title: string;
  description: string;
  type: 'string' | 'integer' | 'number' | 'boolean' | 'choice';
  default: OptionValue | null;
  choices?: OptionValue[] | null;
  minimum?: number | null;
  maximum?: number | null;
  pattern?: string | null;
}

export interface ISiteDefaults {
  queue: string | null;
  size: string | null;
  workers: number;
  scaling: Scaling;
  account: string | null;
  environment: string | null;
  layout: string;
  walltime: string | null;
}

export interface ISite {
  name: string;
  title: string;
  description: string;
  /** `batch`, `gateway` or `factory`. */
  kind: string;
  /** Of a batch site; else `null`. */
  batch_system: string | null;
  layouts: string[];
  scheduler: { place: 'host' | 'job' } | null;
  queues: IQueue[];
  sizes: ISize[];
  environments: IEnvironment[];
  accounts: string[];
  options: ISiteOption[];
  /** Of a site without queues, for a whole cluster. */
  limits: ILimits;
  idle_timeout: string | null;
  defaults: ISiteDefaults;
}

/** A site file that could not be read, and what to do about it. */
export interface IProblem {
  file: string;
  where: string;
  message: string;
}

export interface ISites {
  sites: ISite[];
  problems: IProblem[];
}

/** A size that is no named one; `memory` is bytes or a text such as `16 GiB`. */
export interface ICustomSize {
  workers: number;
  cores: number;
  memory: number | string;
  gpus?: number;
  workers_per_job?: number;
}

/** A script that runs with a cluster of its own, below the server's root. */
export interface IScript {
  path: string;
  arguments: string[];
}

/** A number of workers, or bounds between which it follows the work. */
export type Scaling =
  | { mode: 'fixed'; workers: number }
  | { mode: 'adaptive'; minimum: number; maximum: number };

/** Workers of another kind, in addition. */
export interface IGroupRequest {
  name: string;
  queue?: string;
  size?: string | ICustomSize;
  walltime?: string;
  scaling?: Scaling;
  resources?: { [name: string]: number };
}

/** A cluster that runs already: its scheduler's file or its address. */
export interface IAdoptRequest {
  scheduler_file?: string;
  address?: string;
  dashboard?: string;
  name?: string;
  tls?: { ca?: string; certificate?: string; key?: string };
}

/** What is left out, the site decides. */
export interface ILaunchRequest {
  site?: string;
  queue?: string;
  size?: string | ICustomSize;
  walltime?: string;
  account?: string;
  environment?: string;
  image?: string;
  layout?: string;
  name?: string;
  options?: { [name: string]: OptionValue };
  scaling?: Scaling;
  groups?: IGroupRequest[];
  script?: IScript;
}

/** What a launch would do, as far as that can be known before. */
export interface IPreview {
  valid: boolean;
  errors: IFieldError[];
  /** `null` for what is not valid. */
  totals: {
    workers: number;
    /** These are `null` at a site without sizes, where others decide. */
    cores: number | null;
    memory: number | null;
    gpus: number | null;
    nodes: number | null;
    /** Also `null` where there is no walltime. */
    node_hours: number | null;
  } | null;
  /** The group is `workers` for jobs that are nobody's else. */
  scripts: { role: string; group: string; text: string }[];
  estimated_start: string | null;
  note: string;
}

export interface IJob {
  id: string;
  role: string;
  /** Of its workers; `workers` for jobs of another role. */
  group?: string;
  state: string;
  reason: string;
  node: string | null;
  count: number;
}

/** Equal workers of a cluster. */
export interface IGroup {
  name: string;
  queue: string;
  size: string | null;
  walltime: string | null;
  workers: { requested: number; pending: number; running: number };
  cores: number;
  memory: number;
  gpus: number;
  /** What one worker has, where that is ours to say. */
  worker: { cores: number; memory: number; gpus: number };
  scaling: Scaling;
  limits: ILimits;
  resources: { [name: string]: number };
}

export interface ICluster {
  id: string;
  /** `batch`, `gateway`, `factory` or `adopted`. */
  kind: string;
  name: string;
  site: string;
  site_title: string;
  queue: string;
  layout: string;
  /** Whether workers can be added; one that cannot grow can still shrink. */
  can_grow: boolean;
  size: string | null;
  /** The name of a kernel, or of an environment of the site. */
  environment: string;
  /** The same for people. */
  environment_title: string;
  image: string | null;
  state: ClusterState;
  reason: string;
  reachable: boolean;
  /** When it was last known, while it cannot be reached. */
  unreachable_since: string | null;
  created: string;
  started: string | null;
  ended: string | null;
  ends_at: string | null;
  estimated_start: string | null;
  walltime: string | null;
  workers: { requested: number; pending: number; running: number };
  cores: number;
  memory: number;
  /** Of all workers together, as cores and memory are. */
  gpus: number;
  scaling: Scaling;
  limits: ILimits;
  can_scale: boolean;
  can_adapt: boolean;
  /** Whether it may be forgotten while it runs. */
  can_forget: boolean;
  /** The workers by kind; the first are those that every cluster has. */
  groups: IGroup[];
  /** `null` where it is not known. */
  clients: number | null;
  /** When it stops because nobody uses it. */
  idle_ends_at: string | null;
  /** What its jobs have used so far, and how many cores they use now. */
  core_hours: number | null;
  cores_running: number | null;
  jobs: IJob[];
  scheduler: { address: string | null; file: string | null };
  dashboard_url: string | null;
  /** `null` as soon as there is nothing to connect to. */
  client_code: string | null;
  warnings: string[];
  script: IScript | null;
  /** Of the script, once it has ended. */
  exit_code: number | null;
}

/** `allocation` is the single job of a cluster, with what its script prints. */
export type LogRole = 'scheduler' | 'worker' | 'allocation' | 'launch';

export interface ILog {
  job: string;
  role: LogRole;
  text: string;
  truncated: boolean;
}

/** What is wrong with one field of a request; nested fields with dots. */
export interface IFieldError {
  field: string;
  message: string;
}

/** The names of a dashboard's plots, and their routes below its URL. */
export interface IPlots {
  [name: string]: string;
}
