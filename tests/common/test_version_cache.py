"""The cache of a process: limited in bytes, with a version and a period for each value."""

import datetime as dt

from common.version_cache import MAX_PERIODS_PER_KEY, ValidityPeriod, VersionCache

AT = dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def store(cache, key, value, *, version="1.1", starts_at=AT):
    cache.store(key, value, version=version, period=ValidityPeriod(starts_at, starts_at + HOUR))


def test_the_cache_has_a_limit_in_bytes():
    cache = VersionCache(max_bytes=100, size=len)
    for number in range(50):
        store(cache, number, "x" * 10)
        assert cache.bytes == 10 * len(cache) <= 100
    assert [number for number in range(50) if cache.find(number, version="1.1", at=AT)] == list(range(40, 50))
    store(cache, "large", "x" * 13)
    assert (cache.find("large", version="1.1", at=AT), cache.bytes) == (None, 100)


def test_the_least_recently_used_is_dropped():
    cache = VersionCache(max_bytes=24, size=len)
    for key in "abcdefgh":
        store(cache, key, "xxx")
    assert cache.find("a", version="1.1", at=AT) == "xxx"
    store(cache, "i", "xxx")
    assert (cache.find("a", version="1.1", at=AT), cache.find("b", version="1.1", at=AT)) == ("xxx", None)


def test_a_value_is_valid_in_its_period_and_version():
    cache = VersionCache(max_bytes=100, size=len)
    store(cache, "key", "value")
    instants = (AT - HOUR, AT, AT + HOUR - dt.timedelta(microseconds=1), AT + HOUR)
    assert [cache.find("key", version="1.1", at=at) for at in instants] == [None, "value", "value", None]
    assert cache.find("key", version="1.2", at=AT) is None
    assert cache.find("key", version="1.1", at=AT, is_past=True) is None
    assert cache.find("key", version="1.1", at=AT, accept=lambda value: value != "value") is None


def test_a_key_has_values_for_a_few_periods_of_one_version():
    cache = VersionCache(max_bytes=100, size=len)
    for number in range(50):
        store(cache, "often", "x", starts_at=AT + number * HOUR)
    assert cache.bytes == MAX_PERIODS_PER_KEY
    store(cache, "often", "yy", version="1.2")
    assert (cache.bytes, cache.find("often", version="1.2", at=AT)) == (2, "yy")
    cache.clear()
    assert (cache.bytes, len(cache)) == (0, 0)
