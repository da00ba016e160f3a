"""What is compared of two contact records: fields, their levels, and the keys that bring pairs up.

The levels follow Splink's comparison library; their starting m probabilities are the usual shares
of typing errors (Christen, Data Matching, 2012, ch. 6) and are learned anew from each data set.
"""

from __future__ import annotations

from dataclasses import dataclass

# Columns of a contact as it comes; all text but `created_at`. Any may be empty throughout.
GIVEN = (
    "first_name", "last_name", "birth_date", "email", "phone", "street", "postal_code", "city",
    "country", "handle", "external_id",
)  # fmt: skip
# Fields that name one person (or, shared, a household) by themselves.
IDENTIFYING = ("email", "phone", "handle", "external_id")


@dataclass(frozen=True)
class Level:
    """A degree of agreement. `m`: how often it is found between two records of one person."""

    label: str
    sql: str
    m: float
    is_exact: bool = False


@dataclass(frozen=True)
class Field:
    """A column of the normalised records and its levels, best first, without null and else.

    `also`: other columns that a level reads. `void`: when the values, though there, tell nothing
    that another field does not tell already; null where that never is.
    """

    name: str
    levels: tuple[Level, ...]
    also: tuple[str, ...] = ()
    void: str | None = None

    @property
    def unknown(self) -> str:
        """SQL: whether a pair cannot be compared in this field."""
        nulls = f"{self.name}_l is null or {self.name}_r is null"
        return f"({nulls} or ({self.void}))" if self.void else f"({nulls})"

    @property
    def gamma(self) -> str:
        """SQL: the degree of agreement of a pair, as Splink's: -1 unknown, 0 none, best last."""
        best = len(self.levels)
        cases = " ".join(f"when {x.sql} then {best - i}" for i, x in enumerate(self.levels))
        return f"case when {self.unknown} then -1 {cases} else 0 end"

    @property
    def m_else(self) -> float:
        """The share of the pairs of one person that agree in no level."""
        return 1 - sum(level.m for level in self.levels)


def _exact(name: str, m: float) -> Level:
    return Level("the same", f"{name}_l = {name}_r", m, is_exact=True)


def _alike(name: str, threshold: float, m: float) -> Level:
    similar = f"jaro_winkler_similarity({name}_l, {name}_r) >= {threshold}"
    return Level(f"alike ({threshold})", similar, m)


def _typed(name: str, edits: int, m: float) -> Level:
    """So many slips apart: a sign wrong, missing or too much, or two neighbours swapped.

    What cannot be so near is ruled out first: Damerau's distance costs a hundred times as much.
    DuckDB spares it only where it stands behind a `when`.
    """
    left, right = f"{name}_l", f"{name}_r"
    distance = f"damerau_levenshtein({left}, {right}) <= {edits}"
    swapped = f" when hamming({left}, {right}) = 2 then {distance}" if edits < 2 else ""
    return Level(
        f"{edits} edit{'s' if edits > 1 else ''} apart",
        f"(case when strlen({left}) <> strlen({right}) then "
        f"case when abs(length({left}) - length({right})) <= {edits} "
        f"and jaro_similarity({left}, {right}) >= 0.8 then {distance} else false end "
        f"when hamming({left}, {right}) <= {edits} then true{swapped} else false end)",
        m,
    )


_ALIKE_NAMED = "jaro_winkler_similarity({0}_l, {0}_r) >= 0.8"
# Namesakes' addresses are alike because their names are: that must not count twice. Two spellings
# at one provider, of which one is not quite the owner's name, are rather a slip.
_NAMED_EMAILS = (
    "email_l <> email_r and (spells_email_l and spells_email_r or (spells_email_l "
    "or spells_email_r) and split_part(email_l, '@', 2) <> split_part(email_r, '@', 2)) and "
    + _ALIKE_NAMED.format("email_local")
)
_NAMED_HANDLES = (
    "handle_l <> handle_r and spells_handle_l and spells_handle_r and "
    + _ALIKE_NAMED.format("handle")
)
_INITIAL = Level(
    "an initial or short form",
    "(starts_with(first_name_l, first_name_r) or starts_with(first_name_r, first_name_l))",
    0.03,
)
FIELDS = (
    Field(
        "first_name",
        (
            _exact("first_name", 0.80),
            Level("swapped with the last name",
                  "first_name_l = last_name_r and first_name_r = last_name_l", 0.02),
            _alike("first_name", 0.88, 0.09),
            _INITIAL,
        ),
        ("last_name",),
    ),
    Field(
        "last_name",
        (
            _exact("last_name", 0.83),
            Level("swapped with the first name",
                  "first_name_l = last_name_r and first_name_r = last_name_l", 0.02),
            _alike("last_name", 0.88, 0.09),
        ),
        ("first_name",),
    ),
    Field("birth_date", (_exact("birth_date", 0.88), _typed("birth_date", 1, 0.06),
                         _typed("birth_date", 2, 0.03))),
    Field(
        "email",
        (
            _exact("email", 0.60),
            Level("the same before the @", "email_local_l = email_local_r", 0.08),
            _typed("email", 2, 0.06),
            _alike("email_local", 0.9, 0.06),
        ),
        ("email_local", "spells_email"),
        _NAMED_EMAILS,
    ),
    Field("phone", (_exact("phone", 0.65), _typed("phone", 1, 0.06), _typed("phone", 2, 0.02))),
    Field("street", (_exact("street", 0.60), _alike("street", 0.9, 0.15))),
    Field("postal_code", (_exact("postal_code", 0.75), _typed("postal_code", 1, 0.08))),
    # Who has the same postal code has the same town: that says nothing more.
    Field("city", (_exact("city", 0.75), _alike("city", 0.9, 0.08)), ("postal_code",),
          "coalesce(postal_code_l = postal_code_r, false)"),
    Field("handle", (_exact("handle", 0.60), _alike("handle", 0.92, 0.10)), ("spells_handle",),
          _NAMED_HANDLES),
    Field("external_id", (_exact("external_id", 0.85), _typed("external_id", 1, 0.08),
                          _typed("external_id", 2, 0.02))),
)  # fmt: skip

# A pair is compared when it has one of these in common: an expression over the normalised columns,
# null where a record has too little for it.
KEYS = {
    "email": "email",
    "phone": "phone",
    "handle": "handle",
    "external_id": "external_id",
    "email_local": "case when length(email_local) >= 5 then email_local end",
    "swapped_name": "case when first_name < last_name then first_name || '|' || last_name "
    "else last_name || '|' || first_name end",
    "birth_and_first": "birth_date || '|' || left(first_name, 2)",
    "birth_and_last": "birth_date || '|' || left(last_name, 2)",
    "birth_and_place": "birth_date || '|' || postal_code",
    "place_and_last": "postal_code || '|' || left(last_name, 3) || left(first_name, 1)",
    "place_and_first": "postal_code || '|' || left(first_name, 4)",
    "home": "street || '|' || coalesce(postal_code, city)",
    "street_and_name": "street || '|' || coalesce(left(last_name, 2), left(first_name, 2))",
}


def used_fields(columns: set[str]) -> tuple[Field, ...]:
    """The fields that can be compared when only `columns` have something to say."""
    return tuple(field for field in FIELDS if field.name in columns)
