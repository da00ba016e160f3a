"""The settings of journeys, funnels and events."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

# As dbt's macro journey_step tells them: lower case.
StepName = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, min_length=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Journeys(_Section):
    """How visits are told as journeys: docs/how-to/journeys-and-funnels.md."""

    days: int = Field(default=90, ge=1)
    max_steps: int = Field(default=30, ge=1, le=200)
    min_users: int = Field(default=5, ge=1)
    conversions: list[StepName] = ["purchase"]
    path_steps: int = Field(default=10, ge=1, le=50)
    top_paths: int = Field(default=100, ge=1)
    buy_later_days: int = Field(default=30, ge=1)


class Funnel(_Section):
    """Steps in their order, within a window from the first one."""

    steps: list[StepName] = Field(min_length=2, max_length=20)
    window_hours: int = Field(default=168, ge=1)


SHOP_FUNNEL = Funnel(steps=["product_view", "add_to_cart", "checkout_start", "purchase"])


class Event(_Section):
    """A sale, a launch: from the day `starts` to the day `ends`, both among them, UTC."""

    starts: date
    ends: date

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Event:
        if self.ends < self.starts:
            raise ValueError(f"ends ({self.ends}) is before starts ({self.starts})")
        return self
