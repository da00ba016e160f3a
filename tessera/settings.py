"""The one reader of `settings.toml` and of the environment.

Order of authority: environment (`TESSERA_DATA_DIR`, `TESSERA_SEGMENTATION__SEED`, …), then the
file, then the defaults below. `TESSERA_SETTINGS` names another file. Unknown keys are refused.
"""

from __future__ import annotations

import os
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from tessera.ingest.fetch.settings import Fetch, Since
from tessera.ingest.source import Source, did_you_mean
from tessera.settings_behaviour import SHOP_FUNNEL, Event, Funnel, Journeys
from tessera.settings_moves import Gates, Moves
from tessera.settings_names import NameCondition, Names, NameTold
from tessera.settings_rules import Lifecycle, MicroSegments, Rule, Trigger
from tessera.settings_segmentation import Imputation, Segmentation

CURRENCY = r"^[A-Z]{3}$"
SECRETS = {"pseudonym_key", "serving_url"}
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]*$")]


class SettingsError(ValueError):
    """The settings cannot be used; the message says what to mend and where."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Warehouse(_Section):
    """Limits of DuckDB, lower on a small machine; how long a run waits for the step of another."""

    memory_limit: str = Field(default="1500MB", pattern=r"^\d+(\.\d+)?\s?(MB|GB|MiB|GiB)$")
    threads: int = Field(default=2, ge=1)
    wait_seconds: float = Field(default=3600, ge=0)


class Features(_Section):
    """Definitions that the dbt models share."""

    session_gap_minutes: int = Field(default=30, ge=1)
    session_max_hours: int = Field(default=24, ge=1)
    session_max_events: int = Field(default=5000, ge=1)
    stitch_window_days: int = Field(default=30, ge=0)
    max_events_per_minute: int = Field(default=300, ge=1)
    engagement_half_life_days: int = Field(default=30, ge=1)
    purchase_half_life_days: int = Field(default=90, ge=1)
    support_half_life_days: int = Field(default=90, ge=1)


class Privacy(_Section):
    """Whose behaviour may be analysed: docs/how-to/privacy.md."""

    analytics: Literal["opt-in", "opt-out", "legitimate-interest"] = "opt-out"


class Identity(_Section):
    """When two accounts are one customer: docs/how-to/identity.md.

    `threshold`: the probability from which they are. `region`: the country, in two letters, whose
    telephone numbers are meant where a contact names no country.
    """

    threshold: float = Field(default=0.95, gt=0.5, lt=1)
    max_accounts_per_identifier: int = Field(default=20, ge=2)
    max_accounts_per_customer: int = Field(default=50, ge=2)
    region: str | None = Field(default=None, pattern=r"^[A-Za-z]{2}$")


class Text(_Section):
    """How texts are read: docs/how-to/texts.md.

    engine: 'lexicon', or a transformer: a folder, or a name on the Hugging Face hub.
    engine_languages: those a transformer knows (empty: all). languages: those that customers write
    in (empty: those in which much is written).
    """

    engine: str = Field(default="lexicon", min_length=1)
    engine_languages: list[str] = []
    languages: list[str] = []


class Topics(_Section):
    """What people write about: docs/how-to/network-and-topics.md.

    `count` "auto" chooses how many topics by their quality. `model`, for "embeddings": a folder, or
    a name on the Hugging Face hub.
    """

    method: Literal["nmf", "lda", "embeddings"] = "nmf"
    model: str | None = Field(default=None, min_length=1)
    count: Literal["auto"] | Annotated[int, Field(ge=2, le=100)] = "auto"
    seed: int = Field(default=42, ge=0)

    @model_validator(mode="after")
    def _embeddings_have_a_model(self) -> Topics:
        if self.method == "embeddings" and not self.model:
            raise ValueError(
                'method "embeddings" needs a model: name a folder or a model on the Hugging Face '
                'hub as model, or set method = "nmf"'
            )
        if self.model and self.method != "embeddings":
            raise ValueError(f'model is for method "embeddings" alone, not for "{self.method}"')
        return self


class Network(_Section):
    """How ties between people count, and how fine the communities are.

    `follow`, `mention` and `reply` weigh the first tie of a kind; 0 leaves the kind out.
    `resolution` "auto" is estimated from the ties; 1 is plain modularity, more gives smaller
    communities.
    """

    follow: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    mention: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    reply: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    resolution: Literal["auto"] | Annotated[float, Field(gt=0, le=1000)] = "auto"
    seed: int = Field(default=42, ge=0)


class Audit(_Section):
    """Do segments treat people alike? docs/how-to/scorecards-and-audit.md.

    `groups`: the columns of the features whose groups are compared. `barred`: those that customers
    are never clustered by. A group below `least_customers` is too small to tell anything of; a
    feature counts as a proxy of a group from `proxy_auc`; a customer is placed unsurely below
    `unsure_below` of confidence.
    """

    groups: list[str] = ["age_band", "income_band"]
    barred: list[str] = [
        "age_band", "income_band", "household_size", "education", "occupation", "home_ownership",
    ]  # fmt: skip
    least_customers: int = Field(default=30, ge=1)
    proxy_auc: float = Field(default=0.6, gt=0.5, lt=1)
    unsure_below: float = Field(default=0.1, ge=0, le=1)


class Settings(BaseSettings):
    """Everything a run is told. Frozen; made by `load`."""

    model_config = SettingsConfigDict(
        env_prefix="TESSERA_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    company: str = "My company"
    currency: str = Field(default="EUR", pattern=CURRENCY)
    data_dir: Path = Path("data")
    inbox: Path | None = None
    rates: dict[Annotated[str, Field(pattern=CURRENCY)], Annotated[Decimal, Field(gt=0)]] = {}
    settle_seconds: float = Field(default=2.0, ge=0, le=600)
    stale_after_days: int = Field(default=8, ge=1)
    demo_when_empty: bool = False
    pseudonym_key: SecretStr | None = None
    serving_url: SecretStr | None = None
    sources: dict[str, Source]
    warehouse: Warehouse = Warehouse()
    features: Features = Features()
    lifecycle: Lifecycle = Lifecycle()
    privacy: Privacy = Privacy()
    identity: Identity = Identity()
    topics: Topics = Topics()
    network: Network = Network()
    segmentation: Segmentation = Segmentation()
    names: Names = Names()
    moves: Moves = Moves()
    gates: Gates = Gates()
    text: Text = Text()
    journeys: Journeys = Journeys()
    funnels: dict[Name, Funnel] = {"shop": SHOP_FUNNEL}
    events: dict[Name, Event] = {}
    imputation: Imputation = Imputation()
    rules: dict[Name, Rule] = {}
    triggers: dict[Name, Trigger] = {}
    micro_segments: MicroSegments = MicroSegments()
    audit: Audit = Audit()

    @field_validator("sources", mode="before")
    @classmethod
    def _fetched_into_its_own_folder(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {
            name: {"files": f"{name}/**/*", **source}
            if isinstance(source, dict) and source.get("uri")
            else source
            for name, source in value.items()
        }

    @model_validator(mode="after")
    def _orders_are_there(self) -> Settings:
        if not any({"orders", "order_lines"} & set(s.kinds) for s in self.sources.values()):
            raise ValueError(
                "no source of kind 'orders' or 'order_lines': every other source is optional, "
                "orders are not. Add one under [sources]"
            )
        return self

    @model_validator(mode="after")
    def _barred_features_are_not_used(self) -> Settings:
        used = [name for name in self.segmentation.features if name in self.audit.barred]
        if used:
            raise ValueError(
                f"segmentation.features names {', '.join(used)}, which audit.barred keeps out of "
                "clustering. Take it out of one of the two"
            )
        return self

    @property
    def currencies(self) -> set[str]:
        """Those whose amounts can be told in the company's own."""
        return {self.currency, *self.rates}

    @property
    def inbox_dir(self) -> Path:
        """Where exports are looked for."""
        return self.inbox or self.data_dir / "inbox"

    @property
    def warehouse_file(self) -> Path:
        """The DuckDB file that only one process at a time may open."""
        return self.data_dir / "warehouse" / "tessera.duckdb"

    @property
    def key_file(self) -> Path:
        """The key of the pseudonyms, where the environment gives none."""
        return self.data_dir / "pseudonym.key"

    @property
    def state_dir(self) -> Path:
        """Up to where each source was fetched."""
        return self.data_dir / "state"

    @property
    def published_dir(self) -> Path:
        """Where BI tools read."""
        return self.data_dir / "published"

    @property
    def published_file(self) -> Path:
        """The link to the newest published tables."""
        return self.published_dir / "segments.duckdb"

    @property
    def artifacts_dir(self) -> Path:
        """Fitted ML models, dbt's artifacts, Data Docs and the quality page."""
        return self.data_dir / "artifacts"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment before file; `load` passes the parsed file as the init values."""
        assert isinstance(init_settings, InitSettingsSource)
        return env_settings, init_settings


def load(path: Path | None = None) -> Settings:
    """Read the settings from `path`, else `$TESSERA_SETTINGS`, else `./settings.toml`.

    Raises SettingsError with the file, the key and what to do when they cannot be used.
    """
    file = path or Path(os.environ.get("TESSERA_SETTINGS") or "settings.toml")
    if not file.is_file():
        raise SettingsError(
            f"settings file not found: {file}. Run from the project folder, "
            "or name another file with TESSERA_SETTINGS"
        )
    try:
        values: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} is not valid TOML: {error}") from None
    for name in SECRETS & set(values):
        raise SettingsError(
            f"{file} holds {name}: secrets come from the environment only. "
            f"Take it out and set TESSERA_{name.upper()}"
        )
    try:
        return Settings(**values)
    except ValidationError as error:
        lines = [f"  {_explain(e)}" for e in error.errors()]
        raise SettingsError("\n".join([f"{file} cannot be used:", *lines])) from None


def secret(name: str) -> str:
    """The value of a secret that the settings name, from the environment variable of that name.

    Raises LookupError when there is none.
    """
    return os.environ[name]


def _explain(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"]) or "settings"
    if error["type"] == "extra_forbidden":
        known = _known_keys(error["loc"][:-1])
        return f"{where}: unknown key{did_you_mean(str(error['loc'][-1]), known)}"
    if error["type"] == "missing":
        return f"{where}: missing"
    return f"{where}: {error['msg'].removeprefix('Value error, ')}"


def _known_keys(loc: tuple[Any, ...]) -> list[str]:
    sections: dict[str, type[BaseModel]] = {
        "sources": Source,
        "warehouse": Warehouse,
        "features": Features,
        "lifecycle": Lifecycle,
        "privacy": Privacy,
        "identity": Identity,
        "topics": Topics,
        "network": Network,
        "segmentation": Segmentation,
        "names": Names,
        "moves": Moves,
        "gates": Gates,
        "text": Text,
        "journeys": Journeys,
        "funnels": Funnel,
        "events": Event,
        "imputation": Imputation,
        "rules": Rule,
        "triggers": Trigger,
        "micro_segments": MicroSegments,
        "audit": Audit,
    }
    model = sections[loc[0]] if loc else Settings
    if loc[:1] == ("names",) and len(loc) > 2:
        model = NameCondition if "when" in loc else NameTold
    if "fetch" in loc[2:]:
        model = Since if loc[-1] == "since" else Fetch
    return list(model.model_fields)
