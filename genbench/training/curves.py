"""Training curves, and the check for losses that are not finite.

Losses stay on the device and are read in batches, so that the loop does not synchronise at every
update; a NaN or infinity is still reported with the update in which it appeared.
"""

import math
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from genbench.errors import Diverged


@dataclass
class Curves:
    """Means of every loss term over intervals of `every` updates.

    Rows are dicts with update (from 1, the last of the interval), stage, player, term, value.
    """

    every: int
    rows: list[dict[str, Any]] = field(default_factory=list)
    latest: dict[str, float] = field(default_factory=dict)
    """The last value read of each term, by "player.term"."""
    _pending: list[tuple[int, str, str, Tensor]] = field(default_factory=list)
    _sums: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    def log(self, update: int, player: str, terms: dict[str, Tensor]) -> None:
        """Log the terms of one optimiser step in update number `update` (from 1)."""
        for name, value in terms.items():
            self._pending.append((update, player, name, value.detach()))

    def read(self, update: int, stage: int, *, last: bool = False) -> None:
        """Read the pending losses; append rows if an interval ends.

        Raises:
            Diverged: a term is NaN or infinite; it names the first.
        """
        if self._pending:
            values = torch.stack([entry[3].float() for entry in self._pending]).tolist()
            for (at, player, name, _), value in zip(self._pending, values, strict=True):
                if not math.isfinite(value):
                    raise Diverged(f"{player}.{name}", at, value)
                total = self._sums.setdefault((player, name), [0.0, 0])
                total[0] += value
                total[1] += 1
                self.latest[f"{player}.{name}"] = value
            self._pending.clear()
        if update % self.every == 0 or last:
            for (player, name), (total_value, count) in self._sums.items():
                self.rows.append({
                    "update": update, "stage": stage, "player": player, "term": name,
                    "value": total_value / count,
                })
            self._sums.clear()

    def state(self) -> dict[str, Any]:
        """The state for a checkpoint (after `read`)."""
        sums = [[player, name, *pair] for (player, name), pair in self._sums.items()]
        return {"rows": self.rows, "sums": sums}

    def restore(self, state: dict[str, Any]) -> None:
        """Load a checkpoint's state."""
        self.rows = list(state["rows"])
        self._sums = {(player, name): [total, count]
                      for player, name, total, count in state["sums"]}
        self._pending.clear()
