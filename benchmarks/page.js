// Runs in JupyterLab's page: watches, once per frame, for what a launch shows, in milliseconds after the press of the mouse.
scenario => {
  // Bokeh draws inside of shadow roots.
  const canvasesIn = root =>
    [...root.querySelectorAll('*')].flatMap(element =>
      element.localName === 'canvas' ? [element] : element.shadowRoot ? canvasesIn(element.shadowRoot) : []
    );
  const isDrawn = canvas => {
    const context = canvas.width && canvas.height && canvas.getContext('2d');
    return Boolean(context) && context.getImageData(0, 0, canvas.width, canvas.height).data.some(value => value > 0);
  };
  const tileIsDrawn = () =>
    [...document.querySelectorAll('#jp-main-dock-panel iframe')].some(
      frame => frame.contentDocument && canvasesIn(frame.contentDocument).some(isDrawn)
    );

  const times = {};
  let started;
  const button = document.querySelector(scenario.button);
  button.addEventListener('mousedown', () => (started = performance.now()), { capture: true, once: true });
  window.hpcdaskBench = new Promise((resolve, reject) => {
    const look = () => {
      const now = performance.now() - started; // NaN before the press
      if (!times.card && document.querySelector(scenario.card)) {
        times.card = now;
      }
      const row = times.row ? null : document.querySelector(scenario.row);
      if (row && !row.disabled) {
        times.row = now;
        row.click();
      }
      if (times.row && tileIsDrawn()) {
        times.tile = now;
      }
      if (times.tile || (times.card && scenario.cardOnly)) {
        resolve(times);
      } else if (now > scenario.timeout) {
        reject(new Error(`not seen in ${now} ms: ${JSON.stringify(times)}`));
      } else {
        requestAnimationFrame(look);
      }
    };
    look();
  });
}
