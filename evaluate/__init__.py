"""Is this answer any good, and is that one better.

    from evaluate import evaluate, compare

What a name needs is imported when it is first asked for, so that the gateway, which imports this package too, does not
pay for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evaluate.face import Evaluation, EvaluationFailed, compare, evaluate

__all__ = ["Evaluation", "EvaluationFailed", "compare", "evaluate"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from evaluate import face

    return getattr(face, name)
