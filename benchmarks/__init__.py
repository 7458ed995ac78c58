"""How fast hpcdask-ext is, beside dask-labextension in the same run: `python -m benchmarks`."""
