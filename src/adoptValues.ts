import type { IAdoptRequest } from './api/types';

/** What stands in the fields of the form that adopts a cluster. */
export interface IAdoptValues {
  /** Which of the two says where the scheduler is. */
  by: 'scheduler_file' | 'address';
  scheduler_file: string;
  address: string;
  name: string;
  dashboard: string;
  'tls.ca': string;
  'tls.certificate': string;
  'tls.key': string;
}

export type AdoptField = Exclude<keyof IAdoptValues, 'by'>;

/** The fields that are paths, which can be browsed to. */
export type AdoptFile = Exclude<AdoptField, 'address' | 'name' | 'dashboard'>;

/** The fields that few need. */
export const RARE_FIELDS = [
  'dashboard',
  'tls.ca',
  'tls.certificate',
  'tls.key'
] as const;

export function adoptValues(request: IAdoptRequest): IAdoptValues {
  const { tls = {} } = request;
  return {
    by: request.address === undefined ? 'scheduler_file' : 'address',
    scheduler_file: request.scheduler_file ?? '',
    address: request.address ?? '',
    name: request.name ?? '',
    dashboard: request.dashboard ?? '',
    'tls.ca': tls.ca ?? '',
    'tls.certificate': tls.certificate ?? '',
    'tls.key': tls.key ?? ''
  };
}

/** What is asked for; what is empty is left out. */
export function adoptRequest(values: IAdoptValues): IAdoptRequest {
  const given = (field: AdoptField) => values[field].trim();
  const some = (parts: { [name: string]: string }) =>
    Object.fromEntries(Object.entries(parts).filter(([, text]) => text));
  const tls = some({
    ca: given('tls.ca'),
    certificate: given('tls.certificate'),
    key: given('tls.key')
  });
  return {
    ...some({
      [values.by]: given(values.by),
      dashboard: given('dashboard'),
      name: given('name')
    }),
    ...(Object.keys(tls).length > 0 && { tls })
  };
}
