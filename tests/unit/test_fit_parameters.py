from __future__ import annotations

import pytest
from pydantic import ValidationError

from models.preparation import DEFAULT_TREATMENTS, Index, PreparationParameters
from models.search_parameters import ALGORITHMS, SearchParameters
from tessera.fit_parameters import preparation_parameters, search_parameters
from tessera.settings_segmentation import Segmentation


def test_what_is_not_told_is_as_in_models() -> None:
    features = list(DEFAULT_TREATMENTS)
    assert preparation_parameters(Segmentation(features=features)) == PreparationParameters()
    told = search_parameters(Segmentation(tolerance=0.0))
    assert told == SearchParameters()


def test_everything_told_arrives() -> None:
    told = Segmentation.model_validate(
        {
            "features": ["monetary", "frequency", "posts"],
            "algorithms": list(ALGORITHMS),
            "preparation": {
                "treatments": {"posts": "yeo-johnson"},
                "winsor": [0.05, 0.95],
                "scaling": "robust",
                "imputation": "knn",
                "weights": {"social": 2},
                "indices": {"worth": {"features": ["monetary", "frequency"], "weights": [2, 1]}},
                "pca_share": 0.9,
            },
        }
    )
    assert search_parameters(told).algorithms == tuple(ALGORITHMS)
    prepared = preparation_parameters(told)
    assert prepared.treatments == {
        "monetary": "log",
        "frequency": "log",
        "posts": "yeo-johnson",
    }
    assert prepared.indices == {"worth": Index(("monetary", "frequency"), (2.0, 1.0))}
    assert (prepared.scaling, prepared.imputation, prepared.pca_share) == ("robust", "knn", 0.9)
    assert prepared.winsor_quantiles == (0.05, 0.95)
    assert prepared.weight("posts") == 2.0


@pytest.mark.parametrize("where", [{"features": ["monetry"]}, {"treatments": {"monetry": "log"}}])
def test_an_unknown_feature_is_named_with_the_nearest_one(where: dict[str, object]) -> None:
    told = {"preparation": where} if "treatments" in where else where
    with pytest.raises(ValueError, match=r"'monetry', by which.*did you mean 'monetary'"):
        preparation_parameters(Segmentation.model_validate(told))


@pytest.mark.parametrize(
    "wrong",
    [
        {"algorithms": ["kmedoids"]},
        {"algorithms": []},
        {"preparation": {"scaling": "log"}},
        {"preparation": {"pca_share": 2}},
        {"preparation": {"indices": {"worth": {"features": ["monetary"]}}}},
    ],
)
def test_senseless_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Segmentation.model_validate(wrong)
