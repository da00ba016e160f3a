"""The settings of stages of life, rules, triggers and micro-segments.

docs/how-to/rules-and-triggers.md tells them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from tessera.conditions import check

# Whatever the columns: those are checked against the contract when the rules are applied.
ConditionText = Annotated[str, AfterValidator(check)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Lifecycle(_Section):
    """When a buyer's stage of life changes: docs/how-to/rules-and-triggers.md.

    The ratios are days without an order ÷ her rhythm.
    """

    onboarding_days: int = Field(default=90, ge=1)
    onboarding_orders: int = Field(default=2, ge=1)
    slipping_ratio: float = Field(default=1.5, ge=1, le=1000)
    dormant_ratio: float = Field(default=3.0, ge=1, le=1000)
    churned_ratio: float = Field(default=6.0, ge=1, le=1000)
    min_rhythm_days: int = Field(default=7, ge=1)
    default_rhythm_days: int = Field(default=90, ge=1)

    @model_validator(mode="after")
    def _stages_follow_one_another(self) -> Lifecycle:
        if not self.slipping_ratio < self.dormant_ratio < self.churned_ratio:
            raise ValueError(
                f"slipping_ratio ({self.slipping_ratio}) must be below dormant_ratio "
                f"({self.dormant_ratio}), and that below churned_ratio ({self.churned_ratio})"
            )
        return self


class Rule(_Section):
    """A segment by declaration: who meets `when`. docs/how-to/rules-and-triggers.md."""

    when: ConditionText
    description: str = ""
    action: str = ""


class Trigger(_Section):
    """An event when `when` begins to hold; not again within `quiet_days` for one customer."""

    when: ConditionText
    description: str = ""
    quiet_days: int = Field(default=0, ge=0)


class MicroSegments(_Section):
    """Groups within a segment; `min_share` of it, `min_stability` from one run to the next."""

    dimensions: list[Literal["topic", "category", "community"]] = ["topic", "category", "community"]
    min_customers: int = Field(default=50, ge=5)
    min_share: float = Field(default=0.05, ge=0, le=1)
    min_stability: float = Field(default=0.6, ge=0, le=1)
