"""Working days of a country: public holidays and weekends, as the authority there keeps them."""

from datetime import date
from functools import lru_cache

import holidays


@lru_cache(maxsize=64)
def _calendar(country: str) -> holidays.HolidayBase | None:
    try:
        place, _, part = country.partition("-")
        return holidays.country_holidays(place, subdiv=part or None)
    except NotImplementedError:  # how the library says that it knows no such country, or no such part of it
        return None


def is_known(calendar: str) -> bool:
    """Whether there is a calendar of this name: a country, or a part of one as ISO 3166-2 writes it (``FR-57``)."""
    return _calendar(calendar) is not None


def is_working_day(day: date, country: str) -> bool:
    """Whether offices of this country, or of this part of one, are open; without a known calendar, but on weekends."""
    calendar = _calendar(country)
    if calendar is None:
        return day.weekday() < 5
    return bool(calendar.is_working_day(day))
