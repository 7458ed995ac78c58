import { Notification } from '@jupyterlab/apputils';

/** After this many milliseconds, a wait is worth a word. */
const LONG = 700;

/** Wait for a result; if that takes its time, tell what is going on. */
export async function tellingOf<T>(
  text: string,
  result: Promise<T>
): Promise<T> {
  let told = '';
  const timer = window.setTimeout(() => {
    told = Notification.emit(text, 'in-progress', { autoClose: false });
  }, LONG);
  try {
    return await result;
  } finally {
    window.clearTimeout(timer);
    if (told) {
      Notification.dismiss(told);
    }
  }
}
