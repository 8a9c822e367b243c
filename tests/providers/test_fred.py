from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from providers import fred, fredgraph
from providers.errors import Malformed, Refused, TooMany
from providers.shapes import MacroQuery, Observation

KEY = SecretStr("abcdefghijklmnopqrstuvwxyz012345")
NOW = datetime(2026, 2, 6, 15, 0, tzinfo=UTC)
CPI = MacroQuery(series="CPIAUCSL")
TARGET = MacroQuery(series="DFEDTARU", since=date(2026, 2, 4))

# The true months around the one that was never published.
MONTHS = (
    ("2025-09-01", "324.245"),
    ("2025-10-01", "."),
    ("2025-11-01", "325.063"),
    ("2025-12-01", "326.031"),
)


def answer(rows: Sequence[tuple[str, Any]], **other: Any) -> bytes:
    """Observations in the order and with the fields of the source."""
    seen = {"realtime_start": "2026-02-06", "realtime_end": "2026-02-06"}
    page = {
        **seen,
        "observation_start": "1600-01-01",
        "observation_end": "9999-12-31",
        "units": "lin",
        "output_type": 1,
        "file_type": "json",
        "order_by": "observation_date",
        "sort_order": "asc",
        "count": len(rows),
        "offset": 0,
        "limit": 100000,
        "observations": [{**seen, "date": day, "value": value} for day, value in rows],
        **other,
    }
    return json.dumps(page).encode()


def table(
    rows: Sequence[tuple[str, str]], series: str = "CPIAUCSL", first: str = "observation_date"
) -> bytes:
    return "".join(f"{left},{right}\n" for left, right in [(first, series), *rows]).encode()


OCTOBER = Observation(date=date(2025, 10, 1), value=None)


class TestApi:
    def test_asks_with_the_key_beside_the_address(self) -> None:
        request = fred.request(TARGET, KEY)
        assert (request.host, request.path) == ("api.stlouisfed.org", "/fred/series/observations")
        assert dict(request.params) == {
            "series_id": "DFEDTARU",
            "file_type": "json",
            "observation_start": "2026-02-04",
        }
        assert dict(request.secret_params) == {"api_key": KEY}
        assert KEY.get_secret_value() not in repr(request)
        assert "observation_start" not in fred.request(CPI, KEY).params

    def test_a_point_is_a_month_without_a_value(self) -> None:
        read = fred.parse(answer(MONTHS), CPI, NOW).rows
        assert [row.value for row in read] == [324.245, None, 325.063, 326.031]
        assert read[1] == OCTOBER

    def test_newest_first_and_the_same_row_twice_are_no_matter(self) -> None:
        assert fred.parse(answer([*MONTHS[::-1], MONTHS[0]]), CPI, NOW) == fred.parse(
            answer(MONTHS), CPI, NOW
        )

    def test_a_new_field_is_named_and_changes_nothing(self) -> None:
        found = fred.parse(answer(MONTHS, vintage="x"), CPI, NOW)
        known = fred.parse(answer(MONTHS), CPI, NOW)
        assert found.unknown == {"vintage"}
        assert known.unknown == frozenset()
        assert found.rows == known.rows

    def test_nothing_new_since_is_no_rows(self) -> None:
        assert fred.parse(answer([]), TARGET, NOW).rows == ()

    def test_only_what_was_asked(self) -> None:
        rows = [("2026-02-03", "3.75"), ("2026-02-04", "3.75"), ("2026-02-05", "3.75")]
        read = fred.parse(answer(rows), TARGET, NOW).rows
        assert [row.date for row in read] == [date(2026, 2, 4), date(2026, 2, 5)]

    def test_the_target_range_may_be_dated_tomorrow_but_no_later(self) -> None:
        assert len(fred.parse(answer([("2026-02-07", "3.75")]), TARGET, NOW).rows) == 1
        with pytest.raises(Malformed, match="2026-02-08"):
            fred.parse(answer([("2026-02-08", "3.75")]), TARGET, NOW)

    @pytest.mark.parametrize(
        ("series", "value", "passes"),
        [
            ("DFEDTARU", "3.75", True),
            ("DFEDTARL", "-0.5", True),
            ("DFEDTARU", "375", False),
            ("CPIAUCSL", "326.031", True),
            ("CPIAUCSL", "2.7", False),
            ("T10YIE", "2.34", True),
            ("T10YIE", "234", False),
            ("DTWEXBGS", "121.0931", True),
            ("DTWEXBGS", "0.121", False),
            ("DCOILWTICO", "-36.98", True),
            ("DCOILWTICO", "6500", False),
        ],
    )
    def test_bounds_of_each_series(self, series: str, value: str, passes: bool) -> None:
        query = MacroQuery(series=series)
        body = answer([("2026-02-02", value)])
        if passes:
            assert fred.parse(body, query, NOW).rows[0].value == float(value)
        else:
            with pytest.raises(Malformed, match="out of bounds"):
                fred.parse(body, query, NOW)

    @pytest.mark.parametrize(
        ("said", "error"),
        [
            (
                {
                    "error_code": 400,
                    "error_message": "Bad Request. The value for variable api_key is not registered.",
                },
                Refused,
            ),
            ({"error_code": 429, "error_message": "Too Many Requests. Exceeded Rate Limit"}, TooMany),
        ],
    )
    def test_an_error_inside_an_answer(self, said: dict[str, object], error: type[Refused]) -> None:
        with pytest.raises(Refused, match=str(said["error_code"])) as caught:
            fred.parse(json.dumps(said).encode(), CPI, NOW)
        assert type(caught.value) is error

    @pytest.mark.parametrize(
        "body",
        [
            answer(MONTHS, count=5),
            answer([*MONTHS, ("2025-12-01", "326.032")]),
            answer([("2025-12-01", 326.031)]),
            answer([("2025-12-01", "1e3")]),
            answer([("2025-12-01", "nan")]),
            answer([("2025-12-01", None)]),
            answer([("2025-12-01", "3_26")]),
            answer([("20251201", "326.031")]),
            answer([("2025-13-01", "326.031")]),
            answer([("1825-12-01", "326.031")]),
            answer(MONTHS, observations=None),
            answer(MONTHS)[:-40],
            b"<html><body>502</body></html>",
            b"[]",
            b"",
        ],
    )
    def test_nothing_of_another_shape_is_taken(self, body: bytes) -> None:
        with pytest.raises(Malformed):
            fred.parse(body, CPI, NOW)


class TestReleases:
    def body(self, *days: str) -> bytes:
        rows = [{"release_id": 10, "date": day} for day in days]
        return json.dumps(
            {"realtime_start": "2026-01-01", "count": len(rows), "release_dates": rows}
        ).encode()

    def test_asks_for_those_to_come_as_well(self) -> None:
        request = fred.cpi_releases_request(date(2026, 1, 1), KEY)
        assert request.path == "/fred/release/dates"
        assert request.params["release_id"] == "10"
        assert request.params["include_release_dates_with_no_data"] == "true"
        assert request.params["realtime_start"] == "2026-01-01"
        assert dict(request.secret_params) == {"api_key": KEY}

    def test_are_dates_oldest_first(self) -> None:
        read = fred.parse_cpi_releases(self.body("2026-03-11", "2026-01-13", "2026-02-13"), NOW)
        assert read == (date(2026, 1, 13), date(2026, 2, 13), date(2026, 3, 11))
        assert fred.parse_cpi_releases(self.body(), NOW) == ()

    def test_none_beyond_two_years_and_none_of_another_shape(self) -> None:
        for body in (
            self.body("2029-01-13"),
            self.body("13 Jan 2026"),
            b'{"release_dates":[{"id":1}]}',
            b"{}",
        ):
            with pytest.raises(Malformed):
                fred.parse_cpi_releases(body, NOW)
        with pytest.raises(Refused):
            fred.parse_cpi_releases(b'{"error_code":400,"error_message":"Bad Request."}', NOW)


class TestWithoutKey:
    def test_asks_for_the_table_behind_the_chart(self) -> None:
        request = fredgraph.request(TARGET)
        assert (request.host, request.path) == ("fred.stlouisfed.org", "/graph/fredgraph.csv")
        assert dict(request.params) == {"id": "DFEDTARU", "cosd": "2026-02-04"}
        assert dict(fredgraph.request(CPI).params) == {"id": "CPIAUCSL"}

    @pytest.mark.parametrize("first", ["DATE", "observation_date"])
    @pytest.mark.parametrize("missing", [".", ""])
    def test_both_forms_give_what_the_api_gives(self, first: str, missing: str) -> None:
        rows = [(day, missing if value == "." else value) for day, value in MONTHS]
        read = fredgraph.parse(table(rows, first=first), CPI, NOW)
        assert read == fred.parse(answer(MONTHS), CPI, NOW)

    def test_ends_of_lines_and_a_mark_of_order_are_no_matter(self) -> None:
        body = b"\xef\xbb\xbf" + table(MONTHS).replace(b"\n", b"\r\n")
        assert fredgraph.parse(body, CPI, NOW) == fredgraph.parse(table(MONTHS), CPI, NOW)

    def test_a_last_line_without_an_end_may_be_half_a_number(self) -> None:
        for cut in (table(MONTHS)[:-1], table(MONTHS)[:-3], table(MONTHS)[:-11]):
            read = fredgraph.parse(cut, CPI, NOW).rows
            assert [row.value for row in read] == [324.245, None, 325.063]

    def test_the_header_alone_is_no_rows(self) -> None:
        assert fredgraph.parse(table([]), CPI, NOW).rows == ()

    def test_a_source_that_does_not_know_since_when(self) -> None:
        rows = [("2022-01-01", "0.25"), ("2026-02-04", "3.75")]
        read = fredgraph.parse(table(rows, "DFEDTARU"), TARGET, NOW).rows
        assert [row.date for row in read] == [date(2026, 2, 4)]

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"\n",
            b"<!DOCTYPE html><html><head><title>FRED</title></head></html>",
            b"\xff\xfe",
            table(MONTHS, series="CPIAUCNS"),
            table([*MONTHS, ("2025-12-01", "326.032")]),
            table([("2025-12-01", "326,031")]),
            table([("2025-12-01", "NaN")]),
            table([("12/01/2025", "326.031")]),
            table([("2025-12-01", "326.031 ")]),
            table(MONTHS) + b"\n\n",
            table(MONTHS).replace(b"\n", b"\r"),
        ],
    )
    def test_nothing_of_another_shape_is_taken(self, body: bytes) -> None:
        with pytest.raises(Malformed):
            fredgraph.parse(body, CPI, NOW)
