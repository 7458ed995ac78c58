"""What the launch form learns of the sites."""

from __future__ import annotations

import pytest

from hpcdask_ext.control.site_view import sites_view
from hpcdask_ext.sites.kinds import read_site
from hpcdask_ext.sites.load import Sites

FACTORY = {"name": "own", "kind": "factory", "factory": {"module": "dask.distributed", "class": "LocalCluster"}}


@pytest.mark.parametrize(
    ("said", "scaling"),
    [
        ({}, {"mode": "fixed", "workers": 2}),
        ({"workers": 0}, {"mode": "fixed", "workers": 0}),
        ({"adapt": {"maximum": 6}}, {"mode": "adaptive", "minimum": 0, "maximum": 6}),
    ],
)
def test_the_form_begins_with_the_usual_scaling_of_a_site_without_sizes(said, scaling):
    site = read_site(FACTORY | said)
    (view,) = sites_view(Sites((site,), ()), [], {})["sites"]
    assert view["defaults"]["scaling"] == scaling
    assert (view["queues"], view["sizes"]) == ([], [])
