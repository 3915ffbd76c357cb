"""The days of an organization's time zone as instants."""

import datetime
from zoneinfo import ZoneInfo

LAST_MOMENT = datetime.time(23, 59, 59, 999_999)


def end_of(day: datetime.date, zone: datetime.tzinfo) -> datetime.datetime:
    """The last instant of the day in the zone."""
    return datetime.datetime.combine(day, LAST_MOMENT, zone).astimezone(datetime.UTC)


def start_of(day: datetime.date, zone: datetime.tzinfo) -> datetime.datetime:
    """The first instant of the day in the zone."""
    # In UTC: the first day of the calendar is out of range in eastern time zones.
    return datetime.datetime.combine(day, datetime.time(), zone).astimezone(datetime.UTC)


def day_at(now: datetime.datetime, time_zone: str) -> datetime.date:
    """The day of the instant in the zone."""
    return now.astimezone(ZoneInfo(time_zone)).date()


def end_of_today(now: datetime.datetime, time_zone: str) -> datetime.datetime:
    zone = ZoneInfo(time_zone)
    return end_of(now.astimezone(zone).date(), zone)
