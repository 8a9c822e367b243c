"""Covariance of a few markets, also of too few days of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


def ledoit_wolf(rows: Matrix) -> tuple[Matrix, float]:
    """Covariance of ``rows`` (days, markets) drawn towards a multiple of the identity, and how far (0 to 1).

    Ledoit and Wolf 2004, "A well-conditioned estimator for large-dimensional covariance
    matrices". The mean of each column is taken off first; the covariance divides by the days.
    """
    days, markets = rows.shape
    around = rows - rows.mean(axis=0)
    sample = around.T @ around / days
    mean_variance = float(np.trace(sample)) / markets
    squared = around**2
    spread = float(((squared.T @ squared) / days - sample**2).sum()) / (markets * days)
    distance = float((sample**2).sum()) / markets - mean_variance**2
    share = min(spread, distance) / distance if distance > 0 else 0.0
    return (1 - share) * sample + share * mean_variance * np.eye(markets), share


def weighted_covariance(rows: Matrix, weights: NDArray[np.float64]) -> Matrix:
    """Covariance of ``rows`` around their weighted mean; ``weights`` add up to 1."""
    around = rows - weights @ rows
    found: Matrix = (around * weights[:, None]).T @ around
    return found
