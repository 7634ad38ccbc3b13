"""Categories of products, Regulation (EU) 2018/848, article 35(7), and which one a commodity code suggests.

The one thing to remember: the suggestion goes by the longest prefix; the control body has the last word.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

from shared.reference.table import Named, read

# fmt: off
SUGGESTED: Final[Mapping[str, str]] = {
    "01": "b", "02": "b", "03": "c", "04": "b", "05": "b", "06": "a", "07": "a", "08": "a", "09": "a", "10": "a",
    "11": "d", "12": "a", "13": "d", "14": "g", "15": "d", "16": "d", "17": "d", "18": "d", "19": "d", "20": "d",
    "21": "d", "22": "d", "23": "e", "25": "g", "33": "g", "41": "g", "51": "g", "52": "g", "53": "g",
    "0210": "d", "0305": "d", "0309": "d", "0402": "d", "0403": "d", "0404": "d", "0405": "d", "0406": "d",
    "0711": "d", "0712": "d", "0812": "d", "0813": "d", "0902": "d", "0903": "d", "1203": "d", "1208": "d",
    "1213": "e", "1214": "e", "1301": "g", "1521": "g", "1801": "a", "1802": "a", "2204": "f",
    "090112": "d", "090121": "d", "090122": "d", "100630": "d", "100640": "d", "121221": "c", "121229": "c",
}
# fmt: on


@cache
def categories() -> Mapping[str, Named]:
    """All categories by letter."""
    return {row["code"]: Named(row["code"], row["name_en"], row["name_fr"]) for row in read("product_categories.csv")}


def suggested(code: str) -> str | None:
    """The category letter a commodity code suggests, or None outside organic trade."""
    return next((SUGGESTED[code[:n]] for n in (6, 4, 2) if len(code) >= n and code[:n] in SUGGESTED), None)
