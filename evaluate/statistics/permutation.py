"""The sign-flip test: if there is no difference, each pair's difference could as well have had the other sign."""

from __future__ import annotations

import numpy as np
from scipy import stats

from evaluate.statistics.interval import PValue
from evaluate.statistics.numbers import Clusters, Floats, Numbers, clustered, floats, groups

EXACT_UP_TO = 12
"""Units whose 2^n signs are all tried; beyond, `RESAMPLES` seeded draws."""
RESAMPLES = 10_000
BATCH = 4_000_000


def sign_flip(
    differences: Numbers, *, clusters: Clusters | None = None, resamples: int = RESAMPLES, seed: int = 0
) -> PValue:
    """Two-sided. Clusters are flipped whole, for their items depend on each other."""
    d = floats(differences)
    sums = np.bincount(groups(clusters, d.size), weights=d).astype(np.float64)
    exact = sums.size <= EXACT_UP_TO
    by_cluster = ", clusters" if clustered(clusters) else ""
    test = f"sign-flip permutation{by_cluster}, " + (f"all 2^{sums.size}" if exact else f"{resamples} draws")
    if sums.size == 1:
        # scipy wants two; of two signs both are as extreme.
        return PValue(test=test, value=1.0, statistic=float(d.mean()), n=d.size)
    if not exact:
        return PValue(test=test, value=_drawn(sums, resamples, seed), statistic=float(d.mean()), n=d.size)
    result = stats.permutation_test(
        (sums,),
        lambda x, axis: np.sum(x, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
    )
    return PValue(test=test, value=float(result.pvalue), statistic=float(d.mean()), n=d.size)


def _drawn(sums: Floats, resamples: int, seed: int) -> float:
    """The share of drawn signs that are as extreme, what was seen among them (Phipson and Smyth 2010).

    Written out, for scipy turns each draw by itself, which takes ten times as long.
    """
    rng = np.random.default_rng(seed)
    # Rounding must not make a draw that is the same sum a little smaller.
    seen = abs(float(sums.sum())) * (1 - 1e-12)
    extreme, width = 0, (sums.size + 7) // 8
    for start in range(0, resamples, batch := max(1, BATCH // sums.size)):
        count = min(batch, resamples - start)
        bits = np.frombuffer(rng.bytes(count * width), dtype=np.uint8).reshape(count, width)
        positive = np.unpackbits(bits, axis=1, count=sums.size).astype(np.float64) @ sums
        extreme += int((np.abs(2 * positive - sums.sum()) >= seen).sum())
    return (extreme + 1) / (resamples + 1)
