"""The data of the reference's golden numbers: 24 answers of two systems in six clusters, a table, a dozen scores."""

from __future__ import annotations

from evaluate.statistics.mcnemar import Table

A = [1, 1, 1, 0, 1, 1, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1, 0, 1, 0, 0, 1, 0, 1, 1]
B = [1, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 1, 1, 0, 1, 0]
D = [a - b for a, b in zip(A, B, strict=True)]
CLUSTERS = [at // 4 for at in range(24)]
TABLE = Table(both=120, first=30, second=14, neither=36)
X = [0.8, 0.6, 0.9, 0.4, 0.75, 0.55, 0.62, 0.91, 0.33, 0.7, 0.85, 0.5]
Y = [0.7, 0.62, 0.8, 0.35, 0.7, 0.5, 0.65, 0.85, 0.3, 0.6, 0.84, 0.45]
TRIES = [[1, 1, 0], [0, 0, 1], [1, 1, 1], [0, 1, 0], [1, 0, 1], [0, 0, 0], [1, 1, 1], [1, 0, 0]]
"""Eight questions, each tried three times."""
HUMAN = [1, 1, 1, 0, 0, 1, 0, 1, 1, 0, 1, 0, 0, 1, 1, 1, 0, 0, 1, 1]
JUDGE = [1, 1, 0, 0, 0, 1, 0, 1, 1, 1, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1]
GRADES = [1, 2, 3, 4, 5, 3, 2, 4, 5, 1]
OTHER_GRADES = [1, 3, 3, 4, 4, 3, 2, 5, 5, 2]
WINS = [[0, 14, 20], [6, 0, 13], [4, 9, 0]]
LATENCY_A = [820, 640, 1500, 700, 910, 2300, 650, 780, 990, 1200, 560, 3100]
LATENCY_B = [400, 380, 900, 420, 600, 1700, 410, 450, 500, 800, 390, 2500]
COSTS = [0.012, 0.01, 0.02, 0.011, 0.013, 0.03, 0.01, 0.012, 0.014, 0.016, 0.009, 0.04]
SOLVED = [1, 1, 0, 1, 1, 0, 1, 1, 1, 1, 0, 1]
P_VALUES = [0.001, 0.012, 0.03, 0.04, 0.20]
