"""The catalogue: products with category, brand and price, sorted by category and then price."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tessera.demo.columns import Columns, Floats, Ints

BRANDS = (
    "Nordlicht", "Alpenglut", "Kiefer & Sohn", "Maravé", "Tidewater", "Studio Fjell", "Oakline",
    "Pura Vida", "Hekla", "Lumière", "Basis", "Morgentau", "Steinbock", "Canvas Lane",
)  # fmt: skip

# category: (median price in euro, nouns)
CATEGORIES = {
    "Kitchen": (24.0, ("Chef's Knife", "Stock Pot", "Cutting Board", "Mixing Bowl", "Pepper Mill")),
    "Coffee & Tea": (19.0, ("Espresso Beans", "Pour-over Set", "Teapot", "Hand Grinder", "Mug")),
    "Home Textiles": (32.0, ("Linen Sheet", "Wool Blanket", "Cushion", "Bath Towel", "Curtain")),
    "Lighting": (49.0, ("Desk Lamp", "Pendant", "Floor Lamp", "Lantern", "Candle Set")),
    "Garden": (22.0, ("Watering Can", "Planter", "Secateurs", "Seed Box", "Hammock")),
    "Outdoor": (54.0, ("Daypack", "Rain Shell", "Trail Bottle", "Camp Stove", "Headlamp")),
    "Sports": (38.0, ("Yoga Mat", "Running Belt", "Kettlebell", "Foam Roller", "Jump Rope")),
    "Beauty": (18.0, ("Hand Cream", "Face Oil", "Soap Bar", "Shampoo", "Bath Salt")),
    "Stationery": (11.0, ("Notebook", "Fountain Pen", "Desk Pad", "Calendar", "Washi Tape")),
    "Kids": (21.0, ("Wooden Train", "Puzzle", "Picture Book", "Play Tent", "Night Light")),
    "Fashion": (46.0, ("Merino Sweater", "Linen Shirt", "Scarf", "Leather Belt", "Canvas Bag")),
    "Electronics": (79.0, ("Headphones", "Bluetooth Speaker", "Power Bank", "Smart Plug", "Radio")),
}  # fmt: skip
_STYLES = (
    "Classic", "Nova", "Aria", "Terra", "Luna", "Solo", "Duo", "Pro", "Mini", "Grande",
)  # fmt: skip
_PER_CATEGORY = 50


@dataclass(frozen=True)
class Catalogue:
    """All products. Row p of category c stands at c × 50 + its rank by price."""

    sku: pa.Array
    name: pa.Array
    category: np.ndarray
    brand: np.ndarray
    price_cents: np.ndarray

    def pick(self, rng: np.random.Generator, category: np.ndarray, taste: np.ndarray) -> np.ndarray:
        """Choose one product per row from its category, near the price level of its taste."""
        rank = np.clip(taste + rng.normal(0, 0.22, len(taste)), 0, 0.9999)
        chosen = category.astype(np.int32) * _PER_CATEGORY
        return (chosen + (rank * _PER_CATEGORY).astype(np.int32)).astype(np.int32)

    def columns(self) -> Columns:
        """Return the rows of the product export, in the order of the sku."""
        order = np.argsort(np.array(self.sku.to_pylist()))
        return {
            "product": order.astype(np.int32),
            "name": order.astype(np.int32),
            "category": self.category[order],
            "brand": self.brand[order],
            "price_cents": self.price_cents[order],
        }


def draw(rng: np.random.Generator) -> Catalogue:
    """Draw the catalogue: lognormal prices around the category's median, ending on .90 or so."""
    size = len(CATEGORIES) * _PER_CATEGORY
    category = np.repeat(np.arange(len(CATEGORIES), dtype=np.int8), _PER_CATEGORY)
    medians: Floats = np.array([median for median, _ in CATEGORIES.values()])
    prices = medians[category] * np.exp(rng.normal(0, 0.42, size))
    prices = np.sort(prices.reshape(-1, _PER_CATEGORY), axis=1).ravel()
    endings: Ints = rng.choice([90, 95, 99, 0, 50], size, p=[0.4, 0.25, 0.15, 0.1, 0.1])
    cents = np.maximum(np.floor(prices).astype(np.int64), 3) * 100 + endings
    brand = rng.integers(0, len(BRANDS), size).astype(np.int8)
    codes = rng.permutation(size) + 10_000
    return Catalogue(
        sku=pa.array([f"TS-{code}" for code in codes]),
        name=pa.array(_names(rng)),
        category=category,
        brand=brand,
        price_cents=cents.astype(np.int32),
    )


def _names(rng: np.random.Generator) -> list[str]:
    names: list[str] = []
    for _, nouns in CATEGORIES.values():
        combined = [f"{noun} {style}" for noun in nouns for style in _STYLES]
        names.extend(combined[i] for i in rng.permutation(len(combined)))
    return names
