"""The settings of what happens to segments from run to run: `[moves]` and `[gates]`.

The same names and defaults as in `models/`: docs/how-to/moves-and-gates.md.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Moves(_Section):
    """When a customer leaves her segment for one that is nearer.

    `margin`: it is nearer by this part of the distance to her own; `changed`: or she went so far
    since the last run, in standard deviations of a feature. `settled_days`: after so long she is
    settled where she is. `restate`: build the features of the last run again when data came late,
    so that corrections are told from behaviour.
    """

    margin: float = Field(default=0.2, ge=0, lt=1)
    changed: float = Field(default=3.0, gt=0)
    settled_days: int = Field(default=28, ge=0)
    restate: bool = True


class Gates(_Section):
    """What a new fit must keep to, so as to assign customers in the stead of the one in use.

    `least_stability`: Jaccard of its least stable segment. `silhouette_loss`: so much worse it may
    be. `choice_gain`: so much better another algorithm or number of segments must be.
    `least_share`: customers in its smallest segment. Of all customers, `share_shift`: by how much a
    segment may grow or shrink for no known reason; `migration`: how many may move only because
    borders moved; `upheaval`: how many because segments begin or end.
    """

    least_stability: Share = 0.6
    silhouette_loss: Share = 0.02
    choice_gain: Share = 0.02
    least_share: Share = 0.01
    share_shift: Share = 0.03
    migration: Share = 0.05
    upheaval: Share = 0.2
