"""Report training runs to curvecastd: see Reporter."""

from curvecast.reporter import Reporter, Stats

__all__ = ["Reporter", "Stats"]
