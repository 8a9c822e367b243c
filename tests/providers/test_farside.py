from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from providers import farside
from providers.errors import Blocked, Malformed
from providers.shapes import FlowDay, FlowQuery
from tests.providers import farside_pages as pages

BTC, ETH = FlowQuery(asset="BTC"), FlowQuery(asset="ETH")
NEXT_MORNING = datetime(2026, 2, 6, 9, 0, tzinfo=UTC)
LATER = datetime(2026, 2, 27, 12, 0, tzinfo=UTC)


def days(body: bytes, query: FlowQuery = BTC, now: datetime = NEXT_MORNING) -> list[FlowDay]:
    return list(farside.parse(body, query, now).days)


def row(day: str, *cells: str) -> list[str]:
    return [day, *cells]


def test_asks_for_all_days_of_the_asset() -> None:
    request = farside.request(ETH)
    assert (request.host, request.path) == ("farside.co.uk", "/ethereum-etf-flow-all-data/")
    assert farside.request(BTC).path == "/bitcoin-etf-flow-all-data/"
    assert request.json is None


def test_reads_every_day_with_its_funds() -> None:
    read = days(pages.btc())
    assert len(read) == 14
    assert [day.trade_date for day in read] == sorted(day.trade_date for day in read)
    assert read[-3].trade_date == date(2026, 2, 3)
    assert read[-3].total_musd == -272.0
    assert read[-3].funds == {
        "IBIT": 60.0,
        "FBTC": -148.7,
        "BITB": -23.4,
        "ARKB": -62.5,
        "BTCO": 0.0,
        "EZBC": -2.2,
        "BRRR": 0.0,
        "HODL": -4.8,
        "BTCW": 0.0,
        "GBTC": -56.6,
        "BTC": -33.8,
    }
    assert all(day.final for day in read)


def test_two_rows_of_head_and_a_total_without_a_name() -> None:
    read = days(pages.eth(), ETH)
    assert [day.total_musd for day in read] == [-252.9, -2.9, 14.0, -79.4, -80.8]
    assert list(read[0].funds) == list(pages.ETH)


def test_an_empty_total_header_over_the_one_row_of_tickers() -> None:
    body = pages.btc().replace(b"<th>Total</th>", b"<th></th>")
    assert days(body)[-1].total_musd == -434.1


def test_fees_seeds_and_footers_are_no_days() -> None:
    # Two rows before the days of the ether page, five after those of the bitcoin page.
    assert len(days(pages.eth(), ETH)) == 5
    assert max(abs(day.total_musd or 0) for day in days(pages.btc())) == 817.8


@pytest.mark.parametrize(
    ("cell", "flow"),
    [
        ("0.0", 0.0),
        ("(95.1)", -95.1),
        ("-95.1", -95.1),
        ("1,119.9", 1119.9),
        ("473", 473.0),
        ("12.5*", 12.5),
        (" 7.3", 7.3),
        ("&nbsp;(0.1)&nbsp;", -0.1),
        ("(0.0)", 0.0),
    ],
)
def test_amounts(cell: str, flow: float) -> None:
    others = ["0.0"] * 10
    # No total: the row's sum is not what is asked here.
    [day] = days(pages.btc([row("05 Feb 2026", cell, *others, "")]))
    assert day.funds["IBIT"] == flow
    assert str(day.funds["IBIT"]) == str(flow)  # no minus zero


@pytest.mark.parametrize(
    "cell",
    [
        "n/a", "1.2.3", "(12.0", "12.0)", "(-12.0)", "--", "1,11.0", "\uff11\uff12", "nan", "1e3",
        "1_000", "3,000.0", "(3,000.0)", "9" * 400,
    ],
)  # fmt: skip
def test_no_amount_is_guessed(cell: str) -> None:
    with pytest.raises(Malformed):
        days(pages.btc([row("05 Feb 2026", cell, *["0.0"] * 10, "")]))


def test_not_reported_is_not_zero() -> None:
    cells = ["-", "0.0", *["0.0"] * 9]
    [day] = days(pages.btc([row("05 Feb 2026", *cells, "0.0")]))
    assert day.funds["IBIT"] is None
    assert day.funds["FBTC"] == 0.0


class TestFinal:
    """Every fund with a number in the ten sessions before has one, and it is 09:00 UTC of the next day."""

    def running(self, *cells: str) -> bytes:
        return pages.btc([*pages.rows(pages.BTC_ROWS)[:-1], row("05 Feb 2026", *cells)])

    def test_not_before_nine_though_every_fund_has_a_number(self) -> None:
        early = days(pages.btc(), now=datetime(2026, 2, 6, 8, 59, 59, tzinfo=UTC))
        assert [day.final for day in early[-2:]] == [True, False]
        assert early[-1].total_musd is None
        assert early[-1].funds["IBIT"] == -175.3

    def test_the_running_day_s_partial_total_is_left_out(self) -> None:
        body = self.running("-", "(109.5)", "(15.6)", *["-"] * 8, "(125.1)")
        for now in (datetime(2026, 2, 6, 2, 44, tzinfo=UTC), NEXT_MORNING, LATER):
            last = days(body, now=now)[-1]
            assert (last.final, last.total_musd) == (False, None)
            assert last.funds["FBTC"] == -109.5

    def test_a_day_that_is_there_with_nothing_in_it(self) -> None:
        body = self.running(*["-"] * 11, "0.0")
        last = days(body, now=datetime(2026, 2, 5, 21, 0, tzinfo=UTC))[-1]
        assert (last.final, last.total_musd) == (False, None)
        assert set(last.funds.values()) == {None}
        assert not days(body, now=LATER)[-1].final

    def silent_after_the_first(self, count: int) -> list[bool]:
        table = [[*cells[:11], "-", ""] for cells in pages.rows(pages.BTC_ROWS)]
        table[0][11] = "0.0"
        return [day.final for day in days(pages.btc(table[:count]), now=LATER)]

    def test_a_fund_is_waited_for_until_it_was_silent_for_ten_sessions(self) -> None:
        assert self.silent_after_the_first(10) == [True, *[False] * 9]
        assert self.silent_after_the_first(11) == [True] * 11

    def test_a_fund_that_comes_back_is_waited_for_over_ten_sessions_of_a_pause(self) -> None:
        table = [[*cells[:11], "-", ""] for cells in pages.rows(pages.BTC_ROWS)]
        table[0][11] = table[-1][11] = "0.0"
        assert [day.final for day in days(pages.btc(table))] == [True, *[False] * 10, True, True, True]

    def test_a_hole_in_a_fund_that_goes_on_stays_open(self) -> None:
        table = pages.rows(pages.BTC_ROWS)
        table[1] = row("20 Jan 2026", "-", *table[1][2:12], "(422.8)")
        read = days(pages.btc(table), now=LATER)
        assert [day.final for day in read[:3]] == [True, False, True]


class TestNewFund:
    def test_is_carried_through_and_waited_for_from_then_on(self) -> None:
        funds = (*pages.BTC[:9], "MSBT", *pages.BTC[9:])
        table = [[*cells[:10], "-", *cells[10:]] for cells in pages.rows(pages.BTC_ROWS)]
        table[-2][10] = "34.0"
        table[-2][-1] = "(510.9)"
        read = days(pages.btc(table, funds=funds))
        assert list(read[0].funds) == list(funds)
        assert (read[0].funds["MSBT"], read[0].final) == (None, True)
        assert (read[-2].funds["MSBT"], read[-2].total_musd, read[-2].final) == (34.0, -510.9, True)
        assert read[-2].funds["GBTC"] == -41.8
        assert not read[-1].final

    def test_columns_are_told_by_name(self) -> None:
        table = [[cells[0], *reversed(cells[1:12]), cells[12]] for cells in pages.rows(pages.BTC_ROWS)]
        assert days(pages.btc(table, funds=pages.BTC[::-1])) == days(pages.btc())


class TestClosedMarket:
    def test_a_row_of_zeros_or_dashes_is_no_day(self) -> None:
        # 19 January 2026 was Martin Luther King Day, 17 January a Saturday.
        table = pages.rows(pages.BTC_ROWS)
        table[1:1] = [row("17 Jan 2026", *["-"] * 11, "0.0"), row("19 Jan 2026", *["0.0"] * 12)]
        assert days(pages.btc(table)) == days(pages.btc())

    def test_a_flow_on_one_is_a_mistake(self) -> None:
        table = [row("19 Jan 2026", "5.0", *["0.0"] * 10, "5.0")]
        with pytest.raises(Malformed, match="the market was closed"):
            days(pages.btc(table))


class TestDrift:
    def table(self) -> list[list[str]]:
        return pages.rows(pages.BTC_ROWS)

    def test_a_bogus_row_of_a_day_before_there_were_any(self) -> None:
        with pytest.raises(Malformed, match="2024-01-01"):
            days(pages.btc([row("01 Jan 2024", *self.table()[-1][1:]), *self.table()]))

    def test_a_day_twice(self) -> None:
        assert days(pages.btc([*self.table(), self.table()[-1]])) == days(pages.btc())
        other = row("05 Feb 2026", *self.table()[-2][1:])
        with pytest.raises(Malformed, match="two accounts"):
            days(pages.btc([*self.table(), other]))

    def test_a_day_that_has_not_come(self) -> None:
        # 02:00 UTC of the 5th is still the 4th in New York.
        with pytest.raises(Malformed, match="out of bounds"):
            days(pages.btc(), now=datetime(2026, 2, 5, 2, 0, tzinfo=UTC))

    def test_newest_first_is_no_matter(self) -> None:
        assert days(pages.btc(self.table()[::-1])) == days(pages.btc())

    def test_a_total_that_is_not_the_sum(self) -> None:
        table = self.table()
        table[-1][-1] = "(436.2)"
        with pytest.raises(Malformed, match="not the sum"):
            days(pages.btc(table))
        table[-1][-1] = "(436.0)"
        assert days(pages.btc(table))[-1].total_musd == -436.0

    @pytest.mark.parametrize(
        ("old", "new", "why"),
        [
            (b"<td>04 Feb 2026</td>", b"<td>2026-02-04</td>", "not a date as agreed"),
            (b"<td>04 Feb 2026</td>", b"<td>31 Feb 2026</td>", "not a day"),
            (b"<th>EZBC</th>", b"<th></th>", "without a name"),
            (b"<th>EZBC</th>", b"<th>BTCO</th>", "without a name of its own"),
            (b"<th>Total</th>", b"<th>BTC2</th>", "not the total"),
            (b"<td>04 Feb 2026</td>", b"<td>04 Feb 2026</td><td>1.0</td>", "14 cells"),
            (b"<th>IBIT</th>", b"<th>IBTX</th>", "no table with the tickers"),
        ],
    )
    def test_another_shape(self, old: bytes, new: bytes, why: str) -> None:
        assert pages.btc().count(old) == 1
        with pytest.raises(Malformed, match=why) as caught:
            days(pages.btc().replace(old, new))
        assert caught.value.body == pages.btc().replace(old, new)

    def test_the_page_of_the_other_asset(self) -> None:
        with pytest.raises(Malformed, match="no table with the tickers"):
            days(pages.eth(), BTC)
        with pytest.raises(Malformed, match="no table with the tickers"):
            days(pages.btc(), ETH)

    def test_fewer_funds_than_there_are(self) -> None:
        funds = pages.BTC[:9]
        table = [[*cells[:10], ""] for cells in self.table()]
        with pytest.raises(Malformed, match="no table with the tickers"):
            days(pages.btc(table, funds=funds))

    def test_a_table_without_days(self) -> None:
        with pytest.raises(Malformed, match="no days"):
            days(pages.btc([]))


class TestNoTable:
    def test_a_short_page_is_a_challenge(self) -> None:
        with pytest.raises(Blocked):
            days(b"<html><head><title>Just a moment...</title></head><body></body></html>")

    def test_a_long_one_has_changed(self) -> None:
        with pytest.raises(Malformed, match="no table with the tickers"):
            days(b"<html><body>" + b"<p>Bitcoin ETF Flow</p>" * 300 + b"</body></html>")

    @pytest.mark.parametrize("body", [b"", b" \n", b"\x00", b"<!-- -->", b"{}"])
    def test_nothing_like_a_page(self, body: bytes) -> None:
        with pytest.raises((Blocked, Malformed)):
            days(body)

    def test_nothing_like_one_is_no_challenge(self) -> None:
        with pytest.raises(Malformed):
            days(b"null")
