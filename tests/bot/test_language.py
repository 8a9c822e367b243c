"""Numbers and dates as readers of each language expect them."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.language import Speech, nearest

EN = Speech("en", ZoneInfo("UTC"))
ZH = Speech("zh-TW", ZoneInfo("Asia/Taipei"))
SELL_OFF = datetime(2026, 2, 5, 18, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("discord_locale", "ours"),
    [("zh-TW", "zh-TW"), ("zh-CN", "zh-TW"), ("en-US", "en"), ("en-GB", "en"), ("de", "en"), ("ja", "en")],
)
def test_every_discord_locale_has_one_of_our_languages(discord_locale: str, ours: str) -> None:
    assert nearest(discord_locale) == ours


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (73_600.0, "73,600"),
        (66_712.4, "66,712"),
        (9_999.5, "9,999.50"),
        (76.53, "76.53"),
        (77.0, "77"),
        (0.0341, "0.0341"),
    ],
)
def test_prices_keep_the_decimals_that_matter(value: float, shown: str) -> None:
    assert EN.price(value) == shown


def test_percent_has_a_real_minus_sign_and_does_not_break_before_the_unit() -> None:
    assert EN.percent(-15.94) == "−15.9\N{NO-BREAK SPACE}%"
    assert EN.percent(2.0) == "+2.0\N{NO-BREAK SPACE}%"
    assert EN.percent(-0.04) == "0.0\N{NO-BREAK SPACE}%"


def test_instants_are_told_in_the_servers_zone() -> None:
    assert EN.instant(SELL_OFF) == "5 Feb 18:00 UTC"
    assert ZH.instant(SELL_OFF) == "2/6（五）02:00 台北"
    assert Speech("en", ZoneInfo("America/New_York")).instant(SELL_OFF) == "5 Feb 13:00 New York"


@pytest.mark.parametrize(
    ("musd", "english", "chinese"),
    [
        (-544.9, "−544.9 US$ m", "−5.45 億美元"),
        (561.8, "+561.8 US$ m", "+5.62 億美元"),
        (-8_001.6, "−8,001.6 US$ m", "−80.02 億美元"),
        (-0.04, "0.0 US$ m", "0.00 億美元"),
    ],
)
def test_money_is_counted_as_the_language_counts(musd: float, english: str, chinese: str) -> None:
    assert EN.money(musd).replace("\N{NO-BREAK SPACE}", " ") == english
    assert ZH.money(musd).replace("\N{NO-BREAK SPACE}", " ") == chinese


def test_money_that_cannot_be_mistaken_has_no_plus() -> None:
    assert ZH.money(54_300.2, sign=False).startswith("543.0")
    assert EN.money(54_300.2, sign=False).startswith("54,300.2")
    assert EN.money(-3.0, sign=False).startswith("−3.0")


def test_days_of_this_year_have_a_weekday() -> None:
    assert EN.weekday(date(2026, 2, 4)) == "Wed 4 Feb"
    assert ZH.weekday(date(2026, 2, 4)) == "2/4（三）"
    assert [speech.short_day(date(2026, 2, 4)) for speech in (EN, ZH)] == ["4 Feb", "2/4"]
    assert [speech.short_day(date(2026, 2, 4), year=True) for speech in (EN, ZH)] == ["4 Feb 26", "26/2/4"]
    assert [speech.month(date(2026, 2, 1)) for speech in (EN, ZH)] == ["Feb 2026", "2026/2"]


def test_days() -> None:
    assert EN.day(date(2026, 2, 4)) == "4 Feb 2026"
    assert ZH.day(date(2026, 2, 4)) == "2026/2/4"


@pytest.mark.parametrize(
    ("age", "english", "chinese"),
    [
        (timedelta(seconds=59), "under a minute old", "不到 1 分鐘前"),
        (timedelta(minutes=119), "119 min old", "119 分鐘前"),
        (timedelta(hours=2), "2 h old", "2 小時前"),
        (timedelta(hours=48), "2 days old", "2 天前"),
    ],
)
def test_age_in_its_largest_whole_unit(age: timedelta, english: str, chinese: str) -> None:
    assert EN.age(age) == english
    assert ZH.age(age) == chinese


def test_labels_of_ours_are_translated_and_a_moderators_cannot_format() -> None:
    assert ZH.label("round number") == "整數關卡"
    assert EN.label("round number") == "round number"
    assert (
        EN.label("[free](https://evil.example) @everyone `x`") == "`[free](https://evil.example) @everyone x`"
    )
    assert EN.label("\u202e\n") == "–"
