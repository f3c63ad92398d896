"""The sign-flip test: if there is no difference, each pair's difference could as well have had the other sign."""

from __future__ import annotations

import numpy as np
from scipy import stats

from evaluate.statistics.interval import PValue
from evaluate.statistics.numbers import Clusters, Numbers, clustered, floats, groups

EXACT_UP_TO = 12
"""Units whose 2^n signs are all tried; beyond, `RESAMPLES` seeded draws."""
RESAMPLES = 10_000
BATCH = 4_000_000


def sign_flip(
    differences: Numbers, *, clusters: Clusters | None = None, resamples: int = RESAMPLES, seed: int = 0
) -> PValue:
    """Two-sided. Clusters are flipped whole, for their items depend on each other."""
    d = floats(differences)
    sums = np.bincount(groups(clusters, d.size), weights=d)
    exact = sums.size <= EXACT_UP_TO
    by_cluster = ", clusters" if clustered(clusters) else ""
    test = f"sign-flip permutation{by_cluster}, " + (f"all 2^{sums.size}" if exact else f"{resamples} draws")
    if sums.size == 1:
        # scipy wants two; of two signs both are as extreme.
        return PValue(test=test, value=1.0, statistic=float(d.mean()), n=d.size)
    result = stats.permutation_test(
        (sums,),
        lambda x, axis: np.sum(x, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf if exact else resamples,
        batch=max(1, BATCH // sums.size),
        rng=np.random.default_rng(seed),
    )
    return PValue(test=test, value=float(result.pvalue), statistic=float(d.mean()), n=d.size)
