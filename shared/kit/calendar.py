"""Working days of a country: public holidays and weekends, as the authority there keeps them."""

from datetime import date
from functools import lru_cache

import holidays


@lru_cache(maxsize=64)
def _calendar(country: str) -> holidays.HolidayBase | None:
    try:
        return holidays.country_holidays(country)
    except NotImplementedError:
        return None


def is_working_day(day: date, country: str) -> bool:
    """Whether offices of this country are open; a country without a known calendar keeps weekends only."""
    calendar = _calendar(country)
    if calendar is None:
        return day.weekday() < 5
    return bool(calendar.is_working_day(day))
