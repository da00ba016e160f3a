"""The settings of segments' names: `[names]` and `[names.rules.<id>]`.

A rule says which segments may bear a name: docs/how-to/segment-names.md.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
PersonaId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NameCondition(_Section):
    """Bounds on the median of a segment's customers; both bounds belong to it.

    `measure`: percentile (0..1 among all customers), z_score (standard deviations from the mean of
    all customers) or median (the value itself).
    """

    feature: str = Field(min_length=1)
    measure: Literal["percentile", "z_score", "median"] = "percentile"
    at_least: float | None = Field(default=None, allow_inf_nan=False)
    at_most: float | None = Field(default=None, allow_inf_nan=False)

    @model_validator(mode="after")
    def _bounds_mean_something(self) -> NameCondition:
        bounds = [bound for bound in (self.at_least, self.at_most) if bound is not None]
        if not bounds:
            raise ValueError(f"'{self.feature}' needs at_least, at_most, or both")
        if self.measure == "percentile" and not all(0 <= bound <= 1 for bound in bounds):
            raise ValueError(
                f"percentiles of '{self.feature}' go from 0 to 1; for values of its own, "
                "write measure = 'median'"
            )
        if bounds != sorted(bounds):
            raise ValueError(f"at_least of '{self.feature}' is above its at_most: none can meet it")
        return self


class NameTold(_Section):
    """A name, when a segment may bear it, and what to do with its customers.

    `name` is made of the id when it is not told: night-owls → Night Owls.
    """

    name: Words | None = None
    when: list[NameCondition] = Field(min_length=1, max_length=20)
    lead: Words
    action: Words
    channel: Words = "E-mail"


class Names(_Section):
    """Rules in order of priority, then the built-in ones unless `built_in` is false.

    A rule with the id of a built-in one stands in its stead.
    """

    built_in: bool = True
    rules: dict[PersonaId, NameTold] = {}
